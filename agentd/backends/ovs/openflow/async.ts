import type { ByteWriter } from './bytes.ts'
import { TYPE } from './constants.ts'

/** What a connection is told unasked (OpenFlow 1.4, 7.3.10): properties of a connection that is master or equal. */
const PACKET_IN = 1
const FLOW_REMOVED = 5
const REQUEST_FORWARD = 11
/** Bit of a forwarded change of a meter. */
const METER_MOD = 1 << 1

/** The body of an ofp_async_config: no packets and no flows that went, whatever the reason; of what others ask for, changes of meters. Ports are told of anyway. */
export function putPortsAndMeters(w: ByteWriter): void {
  for (const [property, mask] of [
    [PACKET_IN, 0],
    [FLOW_REMOVED, 0],
    [REQUEST_FORWARD, METER_MOD],
  ] as const) {
    w.u16(property)
    w.u16(8)
    w.u32(mask)
  }
}

/** Whether a forwarded request is about a meter. */
export function isMeterMod(body: Buffer): boolean {
  return body.length >= 2 && body.readUInt8(1) === TYPE.METER_MOD
}
