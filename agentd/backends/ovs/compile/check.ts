import { FIELDS, type FieldName } from '../flow/fields.ts'
import type { Action, Match } from '../flow/types.ts'
import { TABLES, type Table, table } from './pipeline.ts'
import { bitsOf, REGISTERS } from './registers.ts'

/** What a table declares, as bits: of a register only those that have a declared name, of any other field all. */
interface Allowed {
  readonly matches: ReadonlyMap<FieldName, bigint>
  readonly sets: ReadonlyMap<FieldName, bigint>
  readonly jumps: ReadonlySet<number>
  readonly learns: ReadonlySet<number>
}

/** All ones over the width of a field. */
const FULL: ReadonlyMap<FieldName, bigint> = new Map(FIELDS.map((f) => [f.name, (1n << BigInt(f.bits)) - 1n]))

const ALLOWED: ReadonlyMap<string, Allowed> = new Map(
  TABLES.map((t) => [
    t.name,
    {
      matches: bitsOfPlaces(t.matches),
      sets: bitsOfPlaces(t.sets),
      jumps: new Set([...t.jumps, ...t.back].map((name) => table(name).number)),
      learns: new Set(t.learns.map((name) => table(name).number)),
    },
  ]),
)

function bitsOfPlaces(places: Table['matches']): ReadonlyMap<FieldName, bigint> {
  const names = new Set<string>(REGISTERS.map((r) => r.name))
  const out = new Map(bitsOf(places))
  for (const place of places) if (!names.has(place)) out.set(place as FieldName, fullBits(place as FieldName))
  return out
}

function fullBits(field: FieldName): bigint {
  return FULL.get(field) ?? 0n
}

/** Throws when the flow does what its table does not declare: a bug of ours, found before the switch sees it. */
export function checkFlow(t: Table, match: Match, actions: readonly Action[]): void {
  const allowed = ALLOWED.get(t.name)
  if (allowed === undefined) throw new Error(`table ${t.name} is not declared`)
  for (const name in match) {
    const field = name as FieldName
    const bits = allowed.matches.get(field)
    const mask = match[field]?.mask
    const bad = bits === undefined || (mask === undefined ? bits !== fullBits(field) : (mask & ~bits) !== 0n)
    if (bad) throw new Error(`table ${t.name} does not declare that it matches these bits of ${field}`)
  }
  for (const action of actions) checkAction(t, allowed, action)
}

function checkAction(t: Table, allowed: Allowed, action: Action): void {
  const fault = faultOf(t, allowed, action)
  if (fault !== undefined) throw new Error(`table ${t.name} does not declare that it ${fault}`)
}

/** What the action does that the table does not declare. */
function faultOf(t: Table, allowed: Allowed, action: Action): string | undefined {
  switch (action.kind) {
    case 'goto_table':
      return allowed.jumps.has(action.table) ? undefined : `jumps to ${action.table}`
    case 'resubmit':
      return allowed.jumps.has(action.table ?? t.number) ? undefined : `jumps to ${action.table ?? 'itself'}`
    case 'learn':
      return allowed.learns.has(action.table) ? undefined : `learns into ${action.table}`
    case 'output':
      return t.outputs ? undefined : 'outputs'
    case 'set_field':
      return allowed.sets.get(action.field) === fullBits(action.field) ? undefined : `sets ${action.field}`
    case 'meter':
      return t.meters ? undefined : 'holds frames against meters'
    case 'load':
    case 'check_pkt_larger':
    case 'multipath':
    case 'move': {
      const { field, start, bits } = action.dst
      const wanted = ((1n << BigInt(bits)) - 1n) << BigInt(start)
      return (wanted & ~(allowed.sets.get(field) ?? 0n)) === 0n ? undefined : `sets these bits of ${field}`
    }
    case 'ct':
      if (!t.tracks) return 'keeps connections'
      if (action.table !== undefined && !allowed.jumps.has(action.table)) return `jumps to ${action.table}`
      return action.exec?.map((inner) => faultOf(t, allowed, inner)).find((fault) => fault !== undefined)
    case 'clone':
      return action.actions.map((inner) => faultOf(t, allowed, inner)).find((fault) => fault !== undefined)
    case 'ct_clear':
      return t.tracks ? undefined : 'keeps connections'
    case 'conjunction':
      return allowed.matches.has('conj_id') ? undefined : 'joins clauses'
    case 'controller':
      return t.tells ? undefined : 'tells the agent'
    case 'dec_ttl':
      return allowed.sets.has('nw_ttl') ? undefined : 'sets nw_ttl'
    case 'push_vlan':
    case 'pop_vlan':
      return allowed.sets.has('vlan_tci') ? undefined : 'sets vlan_tci'
    default:
      return `does ${action.kind}`
  }
}
