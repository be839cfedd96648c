import { type Field, type FieldName, fieldByHeader } from '../flow/fields.ts'
import { matchParts } from '../flow/make.ts'
import type { FieldValue, Match, Subfield } from '../flow/types.ts'
import { fieldValue } from '../flow/values.ts'
import { readBig } from './bytes.ts'
import { portFromWire } from './constants.ts'
import { OpenFlowError, unreadable } from './error.ts'

/** Matches in OXM, read back. What is none of ours is an OpenFlowError that quotes it. */

const EXPERIMENTER = 0xffff

export interface Entry {
  readonly field: Field
  readonly value: bigint
  readonly mask?: bigint
  /** Where the next one begins. */
  readonly end: number
}

/** One field from the wire. Throws OpenFlowError `protocol` for one that is none of ours. */
export function readEntry(b: Buffer, at: number): Entry {
  const header = b.readUInt32BE(at)
  const cls = header >>> 16
  const masked = (header & 0x100) !== 0
  const own = cls === EXPERIMENTER ? 4 : 0
  const field = fieldByHeader(cls, (header >>> 9) & 0x7f, own === 0 ? undefined : b.readUInt32BE(at + 4))
  const start = at + 4 + own
  const end = at + 4 + (header & 0xff)
  const bytes = masked ? (end - start) / 2 : end - start
  if (field === undefined || bytes !== field.bytes) throw new OpenFlowError('protocol', `unknown field ${hexOf(b, at, end)}`)
  const value = readBig(b, start, bytes)
  return masked ? { field, value, mask: readBig(b, start + bytes, bytes), end } : { field, value, end }
}

export function hexOf(b: Buffer, from: number, to: number): string {
  return `0x${b.toString('hex', from, Math.min(to, from + 64, b.length))}`
}

/** The field that an action names at `at`. */
export function readSubfield(b: Buffer, at: number, start: number, bits: number): Subfield {
  const header = b.readUInt32BE(at)
  const field = fieldByHeader(header >>> 16, (header >>> 9) & 0x7f)
  if (field === undefined) throw new OpenFlowError('protocol', `unknown field ${hexOf(b, at, at + 4)}`)
  return { field: field.name, start, bits }
}

/** Fields from `at` to `end`. */
export function readOxm(b: Buffer, at: number, end: number): Match {
  const match: { [F in FieldName]?: FieldValue } = {}
  for (let i = at; i < end; ) {
    const entry = readEntry(b, i)
    for (const [name, value] of matchFields(entry)) {
      const before = match[name]
      match[name] = before === undefined ? value : join(before, value)
    }
    i = entry.end
  }
  return match
}

/** The same for what accompanies a packet: fields that this client does not know do not matter there. */
export function readKnownOxm(b: Buffer): Match {
  const known: Buffer[] = []
  for (let at = 0, end = 0; at + 4 <= b.length; at = end) {
    end = at + 4 + b.readUInt8(at + 3)
    if (unreadableAt(b, at) === undefined) known.push(b.subarray(at, end))
  }
  const all = Buffer.concat(known)
  return readOxm(all, 0, all.length)
}

function unreadableAt(b: Buffer, at: number): string | undefined {
  try {
    matchFields(readEntry(b, at))
    return undefined
  } catch (error) {
    const why = unreadable(error)
    if (why === undefined) throw error
    return why
  }
}

/** An ofp_match at `at`, and where it ends (padding included). */
export function readMatch(b: Buffer, at: number): { readonly match: Match; readonly end: number } {
  const length = b.readUInt16BE(at + 2)
  return { match: readOxm(b, at + 4, at + length), end: at + ((length + 7) & ~7) }
}

/** The two halves of a VLAN tag. */
function join(a: FieldValue, b: FieldValue): FieldValue {
  const mask = (a.mask ?? 0xffffn) | (b.mask ?? 0xffffn)
  return mask === 0xffffn ? { value: a.value | b.value } : { value: a.value | b.value, mask }
}

/** What a field on the wire is in a match. */
function matchFields({ field, value, mask }: Entry): [FieldName, FieldValue][] {
  switch (field.name) {
    case 'in_port_oxm':
      return [['in_port', { value: BigInt(portFromWire(Number(value))) }]]
    case 'vlan_vid':
      return [['vlan_tci', { value, mask: mask ?? 0x1fffn }]]
    case 'vlan_pcp':
      return [['vlan_tci', { value: value << 13n, mask: 0xe000n }]]
    case 'ct_state':
      return matchParts('ct_state', fieldValue(field, value & 0xffn, (mask ?? 0xffn) & 0xffn))
    default:
      return matchParts(field.name, fieldValue(field, value, mask))
  }
}
