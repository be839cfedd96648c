import { badValue } from './error.ts'
import { type FieldName, fieldOf, fullMask } from './fields.ts'
import { parseFieldText } from './parse-value.ts'
import { type Action, type FieldValue, FLOW_FLAGS, type Flow, type FlowFlag, type Match, type Subfield } from './types.ts'
import { fieldValue, hex } from './values.ts'

/** A field's value where a flow is written down: a number, text with or without mask (`10.0.0.0/8`, `+trk-new`), or both parts. */
export type FieldInput = number | bigint | string | { readonly value: bigint; readonly mask?: bigint }

export type MatchInput = { readonly [F in FieldName]?: FieldInput | undefined }

/** A match in normal form. Registers written together (`xreg0`) are taken apart, as OVS does. Throws FlowError for a value that does not fit. */
export function makeMatch(input: MatchInput): Match {
  const match: { [F in FieldName]?: FieldValue } = {}
  for (const name of Object.keys(input) as FieldName[]) {
    const given = input[name]
    if (given !== undefined) for (const [field, value] of matchParts(name, readInput(name, given))) addField(match, field, value)
  }
  return match
}

function addField(match: { [F in FieldName]?: FieldValue }, name: FieldName, value: FieldValue): void {
  const before = match[name]
  if (before !== undefined && name !== 'vlan_tci') throw badValue(name, 'matched twice')
  match[name] = before === undefined ? value : mergeTci(before, value)
}

/** `dl_vlan` and `dl_vlan_pcp` are two halves of one field. */
function mergeTci(a: FieldValue, b: FieldValue): FieldValue {
  const am = a.mask ?? 0xffffn
  const bm = b.mask ?? 0xffffn
  if (((a.value ^ b.value) & am & bm) !== 0n) throw badValue('vlan_tci', 'matched twice')
  return normal('vlan_tci', a.value | b.value, am | bm) ?? a
}

function readInput(name: FieldName, input: FieldInput): FieldValue | undefined {
  if (typeof input === 'number') return normal(name, BigInt(input))
  if (typeof input === 'bigint') return normal(name, input)
  if (typeof input === 'string') {
    const { value, mask } = parseFieldText(fieldOf(name), input)
    return normal(name, value, mask)
  }
  return normal(name, input.value, input.mask)
}

function normal(name: FieldName, value: bigint, mask?: bigint): FieldValue | undefined {
  if (name === 'vlan_tci') return normalTci(value, mask ?? 0xffffn)
  if (name === 'ip_frag') return normalFrag(value, mask)
  return fieldValue(fieldOf(name), value, mask)
}

/** "Later" implies "a fragment" (bit 0), "no fragment" implies "not later": one form of each, since the text tells them not apart. */
function normalFrag(value: bigint, mask?: bigint): FieldValue | undefined {
  if (mask === 1n && (value & 1n) === 0n) return { value: 0n }
  if (mask === 2n && (value & 2n) === 2n) return { value: 3n }
  return fieldValue(fieldOf('ip_frag'), value, mask)
}

/** OpenFlow 1.2+ carries the tag as VID and PCP: without a tag there is no priority to compare, and the priority counts as a whole. */
function normalTci(value: bigint, mask: bigint): FieldValue | undefined {
  if ((value & mask & 0x1fffn) === 0n) {
    if ((value & mask) !== 0n) throw badValue(hex(value), 'vlan_tci: a priority without a tag')
    return fieldValue(fieldOf('vlan_tci'), 0n, mask & 0x1fffn)
  }
  if ((mask & 0xe000n) !== 0n && (mask & 0xe000n) !== 0xe000n) throw badValue(hex(mask), 'vlan_tci: part of the priority')
  return fieldValue(fieldOf('vlan_tci'), value, mask)
}

/** What one written field becomes in a match; empty when it is no condition. */
export function matchParts(name: FieldName, v: FieldValue | undefined): [FieldName, FieldValue][] {
  if (v === undefined) return []
  const register = /^(x+)reg(\d+)$/.exec(name)
  if (register !== null) return splitRegisters(register[1] === 'x' ? 2 : 4, Number(register[2]), v, fullMask(fieldOf(name)))
  switch (name) {
    case 'vlan_vid':
      return tci(v.value, v.mask ?? 0x1fffn)
    case 'vlan_pcp':
      return tci(0x1000n | (v.value << 13n), 0xf000n)
    case 'ip_dscp':
      return [['nw_tos', { value: v.value << 2n }]]
    case 'nw_tos':
      return [['nw_tos', { value: v.value & 0xfcn }]]
    case 'in_port_oxm':
      return [['in_port', { value: v.value & 0xffffn }]]
    default:
      return [[name, v]]
  }
}

function tci(value: bigint, mask: bigint): [FieldName, FieldValue][] {
  const made = normalTci(value, mask)
  return made === undefined ? [] : [['vlan_tci', made]]
}

/** Register 0 of a group holds the upper bits. */
function splitRegisters(count: number, index: number, v: FieldValue, full: bigint): [FieldName, FieldValue][] {
  const out: [FieldName, FieldValue][] = []
  for (let i = 0; i < count; i++) {
    const shift = BigInt(32 * (count - 1 - i))
    const name = `reg${index * count + i}` as FieldName
    const part = fieldValue(fieldOf(name), (v.value >> shift) & 0xffffffffn, ((v.mask ?? full) >> shift) & 0xffffffffn)
    if (part !== undefined) out.push([name, part])
  }
  return out
}

export interface FlowInput {
  readonly table?: number
  /** Absent = 32768, as in ovs-ofctl. */
  readonly priority?: number
  readonly cookie?: bigint
  readonly idle_timeout?: number
  readonly hard_timeout?: number
  readonly importance?: number
  readonly flags?: readonly FlowFlag[]
  readonly match?: MatchInput
  readonly actions?: readonly Action[]
}

/** A flow in normal form: zero timeouts left out, flags sorted. */
export function makeFlow(input: FlowInput): Flow {
  return {
    table: input.table ?? 0,
    priority: input.priority ?? 32768,
    cookie: input.cookie ?? 0n,
    ...positive('idle_timeout', input.idle_timeout),
    ...positive('hard_timeout', input.hard_timeout),
    ...positive('importance', input.importance),
    flags: FLOW_FLAGS.filter((flag) => input.flags?.includes(flag)),
    match: makeMatch(input.match ?? {}),
    actions: input.actions ?? [],
  }
}

/** A member that is left out when it is absent or zero. */
export function positive<K extends string>(key: K, value: number | undefined): { readonly [P in K]?: number } {
  return value === undefined || value === 0 ? {} : ({ [key]: value } as { readonly [P in K]: number })
}

/** `reg0`, or bits `start` to `end` of it, both included. */
export function subfield(field: FieldName, start = 0, end: number = fieldOf(field).bits - 1): Subfield {
  if (start < 0 || end < start || end >= fieldOf(field).bits) throw badValue(`${field}[${start}..${end}]`, 'bits outside the field')
  return { field, start, bits: end - start + 1 }
}

/**
 * Actions that set a field, or the bits of it under `mask`. OpenFlow 1.4 has no set_field with a mask: OVS writes one load for each
 * run of bits, from the lowest.
 */
export function setField(field: FieldName, input: FieldInput): Action[] {
  const f = fieldOf(field)
  const v = readSet(field, input)
  if (v.mask === undefined) return [{ kind: 'set_field', field, value: v.value }]
  const out: Action[] = []
  for (let start = 0; start < f.bits; ) {
    if (((v.mask >> BigInt(start)) & 1n) === 0n) {
      start++
      continue
    }
    let end = start
    while (end + 1 < f.bits && end + 1 - start < 64 && ((v.mask >> BigInt(end + 1)) & 1n) === 1n) end++
    const bits = end - start + 1
    out.push({ kind: 'load', dst: { field, start, bits }, value: (v.value >> BigInt(start)) & ((1n << BigInt(bits)) - 1n) })
    start = end + 1
  }
  return out
}

function readSet(field: FieldName, input: FieldInput): FieldValue {
  const read =
    typeof input === 'string' ? parseFieldText(fieldOf(field), input) : typeof input === 'object' ? input : { value: BigInt(input) }
  return fieldValue(fieldOf(field), read.value, read.mask) ?? { value: 0n, mask: 0n }
}
