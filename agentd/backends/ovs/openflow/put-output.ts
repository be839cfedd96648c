import { type ControllerAction, PACKET_IN_REASONS, PORT } from '../flow/types.ts'
import type { ByteWriter } from './bytes.ts'
import { ACTION, NXAST, portToWire } from './constants.ts'
import { finish, nicira, standard } from './put-head.ts'

export function putOutput(w: ByteWriter, port: number, maxLen: number): void {
  standard(w, ACTION.OUTPUT, 16)
  w.u32(portToWire(port))
  w.u16(maxLen)
  w.zeros(6)
}

/** As plain output where that can carry it, else in OVS's first or second form. */
export function putController(w: ByteWriter, a: ControllerAction): void {
  const reason = PACKET_IN_REASONS.indexOf(a.reason ?? 'action')
  if (a.userdata !== undefined || a.pause || a.meter !== undefined) {
    putController2(w, a, reason)
    return
  }
  if (a.id === undefined && a.reason === undefined) {
    putOutput(w, PORT.CONTROLLER, a.max_len ?? 0xffff)
    return
  }
  nicira(w, NXAST.CONTROLLER, 16)
  w.u16(a.max_len ?? 0xffff)
  w.u16(a.id ?? 0)
  w.u8(reason)
  w.u8(0)
}

/** Properties: type, length without padding, value; padded to 8 bytes. 16-bit values count as 32 bits (OpenFlow 1.4 does so throughout). */
function putController2(w: ByteWriter, a: ControllerAction, reason: number): void {
  const start = w.at
  nicira(w, NXAST.CONTROLLER2, 0)
  w.zeros(6)
  const property = (type: number, value: () => void): void => {
    const at = w.at
    w.u16(type)
    w.u16(0)
    value()
    w.set16(at + 2, w.at - at)
    w.pad8(at)
  }
  if (a.max_len !== undefined) property(0, () => w.u32((a.max_len ?? 0) << 16))
  if (a.id !== undefined) property(1, () => w.u32((a.id ?? 0) << 16))
  if (a.reason !== undefined) property(2, () => w.u8(reason))
  if (a.userdata !== undefined) property(3, () => w.bytes(Buffer.from(a.userdata ?? '', 'hex')))
  if (a.pause) property(4, () => {})
  if (a.meter !== undefined) property(5, () => w.u32(a.meter ?? 0))
  finish(w, start)
}
