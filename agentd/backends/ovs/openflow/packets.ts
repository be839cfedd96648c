import { type Action, type Match, PACKET_IN_REASONS, type PacketInReason, PORT } from '../flow/types.ts'
import type { ByteWriter } from './bytes.ts'
import { portToWire } from './constants.ts'
import { putActions } from './put-actions.ts'
import { readKnownOxm } from './read-oxm.ts'

/** A packet that a flow sent here with `controller(…)`. */
export interface PacketIn {
  readonly packet: Buffer
  /** Bytes of the whole packet; more than `packet` has when the flow cut it. */
  readonly length: number
  readonly table: number
  readonly cookie: bigint
  readonly reason: PacketInReason
  /** Registers, metadata, port and tunnel of the packet: whatever is not in its bytes and not zero. */
  readonly metadata: Match
  /** As the flow gave it. */
  readonly userdata: Buffer
}

const NOTHING = Buffer.alloc(0)

/** OVS's own form (NXT_PACKET_IN2): properties in any order. `b` begins after the experimenter's header. */
export function readPacketIn(b: Buffer): PacketIn {
  const made = { packet: NOTHING, length: 0, table: 0, cookie: 0n, reason: 'action' as PacketInReason, metadata: {}, userdata: NOTHING }
  for (let at = 0; at + 4 <= b.length; ) {
    const length = b.readUInt16BE(at + 2)
    if (length < 4) break
    readProperty(made, b.readUInt16BE(at), b.subarray(at + 4, at + length))
    at += (length + 7) & ~7
  }
  return { ...made, length: made.length || made.packet.length }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function readProperty(made: Mutable<PacketIn>, type: number, value: Buffer): void {
  switch (type) {
    case 0:
      made.packet = Buffer.from(value)
      break
    case 1:
      made.length = value.readUInt32BE(0)
      break
    case 3:
      made.table = value.readUInt8(0)
      break
    case 4:
      // Padded to 8 bytes before the number.
      made.cookie = value.readBigUInt64BE(value.length - 8)
      break
    case 5:
      made.reason = PACKET_IN_REASONS[value.readUInt8(0)] ?? 'action'
      break
    case 6:
      made.metadata = readKnownOxm(value)
      break
    case 7:
      made.userdata = Buffer.from(value)
      break
  }
}

export interface PacketOut {
  readonly packet: Uint8Array
  /** Where it is said to come from; absent = the controller. */
  readonly in_port?: number
  readonly actions: readonly Action[]
}

const NO_BUFFER = 0xffffffff

export function putPacketOut(w: ByteWriter, out: PacketOut): void {
  w.u32(NO_BUFFER)
  w.u32(portToWire(out.in_port ?? PORT.CONTROLLER))
  const at = w.at
  w.u16(0)
  w.zeros(6)
  const start = w.at
  putActions(w, out.actions)
  w.set16(at, w.at - start)
  w.bytes(out.packet)
}
