import type { Action, CtAction, Nat } from '../flow/types.ts'
import { readBig } from './bytes.ts'
import { ACTION, NICIRA, NXAST } from './constants.ts'
import { OpenFlowError } from './error.ts'
import { readSubfield } from './read-oxm.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type ReadActions = (b: Buffer, at: number, end: number) => Action[]

/** ct(…): a translation must come first among the nested actions, as OVS prints it. */
export function readCt(b: Buffer, at: number, end: number, readActions: ReadActions): CtAction {
  const made: Mutable<CtAction> = { kind: 'ct' }
  const flags = b.readUInt16BE(at + 10)
  if ((flags & 1) !== 0) made.commit = true
  if ((flags & 2) !== 0) made.force = true
  const zone = b.readUInt16BE(at + 16)
  if (b.readUInt32BE(at + 12) !== 0) made.zone = readSubfield(b, at + 12, zone >>> 6, (zone & 0x3f) + 1)
  else if (zone !== 0) made.zone = zone
  const table = b.readUInt8(at + 18)
  if (table !== 0xff) made.table = table
  const alg = b.readUInt16BE(at + 22)
  if (alg !== 0) made.alg = algOf(alg)
  let i = at + 24
  if (isNat(b, i, end)) {
    const length = b.readUInt16BE(i + 2)
    made.nat = readNat(b, i)
    i += length
  }
  if (i < end) made.exec = readActions(b, i, end)
  return made
}

function algOf(port: number): 'ftp' | 'tftp' {
  if (port === 21) return 'ftp'
  if (port === 69) return 'tftp'
  throw new OpenFlowError('protocol', `unknown helper ${port} of ct()`)
}

function isNat(b: Buffer, at: number, end: number): boolean {
  return at < end && b.readUInt16BE(at) === ACTION.EXPERIMENTER && b.readUInt32BE(at + 4) === NICIRA && b.readUInt16BE(at + 8) === NXAST.NAT
}

function readNat(b: Buffer, at: number): Nat {
  const flags = b.readUInt16BE(at + 12)
  const present = b.readUInt16BE(at + 14)
  const made: Mutable<Nat> = {}
  if ((flags & 3) !== 0) made.kind = (flags & 1) !== 0 ? 'src' : 'dst'
  if ((flags & 4) !== 0) made.persistent = true
  if ((flags & 8) !== 0) made.hash = true
  if ((flags & 16) !== 0) made.random = true
  let i = at + 16
  const take = (bytes: number): bigint => {
    i += bytes
    return readBig(b, i - bytes, bytes)
  }
  if ((present & 15) !== 0) made.family = (present & 3) !== 0 ? 4 : 6
  const bytes = made.family === 6 ? 16 : 4
  if ((present & 5) !== 0) made.min = take(bytes)
  if ((present & 10) !== 0) made.max = take(bytes)
  if ((present & 16) !== 0) made.port_min = Number(take(2))
  if ((present & 32) !== 0) made.port_max = Number(take(2))
  // OVS stores a range of one as both ends.
  if (made.max === made.min) delete made.max
  if (made.port_max === made.port_min) delete made.port_max
  return made
}
