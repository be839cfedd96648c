import type { Key } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import { type FieldName, fieldOf } from '../flow/fields.ts'
import { formatFlow } from '../flow/format.ts'
import { formatMatch } from '../flow/format-match.ts'
import { type MatchInput, makeMatch } from '../flow/make.ts'
import type { Action, Flow, Match } from '../flow/types.ts'
import { BRIDGE } from './names.ts'
import { isWhole, type RegisterMatch, type RegisterName, register, registerMatch, registersIn, subfieldOf } from './registers.ts'
import { type Place, type Table, type TableName, table } from './tables.ts'
import type { FlowValue } from './values.ts'

/** A flow in the words of the pipeline: tables and registers by name. */
export interface FlowSpec {
  readonly table: TableName
  readonly priority: number
  readonly cookie: bigint
  /** Resources it exists for. */
  readonly owners: readonly Key[]
  readonly registers?: RegisterMatch
  readonly match?: MatchInput
  /** Empty: drop. */
  readonly actions: readonly Action[]
}

/** Throws (a bug of ours) when the flow matches, sets, outputs or jumps in a way its table does not declare. */
export function flowItem(spec: FlowSpec): Item {
  const t = table(spec.table)
  const match: Match = { ...makeMatch(spec.match ?? {}), ...registerMatch(spec.registers ?? {}) }
  checkMatch(t, match)
  checkActions(t, spec.actions)
  const flow: Flow = { table: t.number, priority: spec.priority, cookie: spec.cookie, flags: [], match, actions: spec.actions }
  const value: FlowValue = { kind: 'flow', bridge: BRIDGE, flow }
  return { key: flowItemKey(BRIDGE, spec.table, spec.priority, match), owners: spec.owners, text: formatFlow(flow), value }
}

/** `flow br-int classify 100 in_port=3`: the same for a flow that is wanted and one that was read back. */
export function flowItemKey(bridge: string, tableName: string, priority: number, match: Match): string {
  const text = formatMatch(match)
  return `flow ${bridge} ${tableName} ${priority}${text === '' ? '' : ` ${text}`}`
}

export function goto(name: TableName): Action {
  return { kind: 'goto_table', table: table(name).number }
}

export function resubmit(name: TableName): Action {
  return { kind: 'resubmit', table: table(name).number }
}

export function output(port: number): Action {
  return { kind: 'output', port }
}

/** Writes named register bits. */
export function set(name: RegisterName, value: number): Action {
  const r = register(name)
  if (isWhole(r)) return { kind: 'set_field', field: r.field, value: BigInt(value) }
  return { kind: 'load', dst: subfieldOf(name), value: BigInt(value) }
}

export function setField(field: FieldName, value: bigint): Action {
  return { kind: 'set_field', field, value }
}

/** Copies a whole field. */
export function move(from: FieldName, to: FieldName): Action {
  return { kind: 'move', src: whole(from), dst: whole(to) }
}

function whole(field: FieldName): { field: FieldName; start: number; bits: number } {
  return { field, start: 0, bits: fieldOf(field).bits }
}

function checkMatch(t: Table, match: Match): void {
  for (const field of Object.keys(match) as FieldName[]) {
    const mask = match[field]?.mask ?? (1n << BigInt(fieldOf(field).bits)) - 1n
    for (const place of placesOf(field, mask)) {
      if (!t.matches.includes(place as Place)) throw new Error(`table ${t.name} does not declare that it matches ${place}`)
    }
  }
}

function checkActions(t: Table, actions: readonly Action[]): void {
  for (const action of actions) {
    switch (action.kind) {
      case 'goto_table':
        checkJump(t, action.table)
        break
      case 'resubmit':
        checkJump(t, action.table ?? t.number)
        break
      case 'learn':
        if (!t.learns.some((name) => table(name).number === action.table))
          throw new Error(`table ${t.name} does not declare that it learns into ${action.table}`)
        break
      case 'output':
        if (!t.outputs) throw new Error(`table ${t.name} does not declare that it outputs`)
        break
      case 'set_field':
        checkSet(t, action.field, 0, fieldOf(action.field).bits)
        break
      case 'load':
      case 'move':
        checkSet(t, action.dst.field, action.dst.start, action.dst.bits)
        break
      case 'push_vlan':
      case 'pop_vlan':
        checkSet(t, 'vlan_tci', 0, 16)
        break
      default:
        throw new Error(`table ${t.name}: the pipeline does not know the action ${action.kind}`)
    }
  }
}

function checkJump(t: Table, to: number): void {
  if (!t.jumps.some((name) => table(name).number === to)) throw new Error(`table ${t.name} does not declare that it jumps to ${to}`)
}

function checkSet(t: Table, field: FieldName, start: number, bits: number): void {
  for (const place of placesOf(field, ((1n << BigInt(bits)) - 1n) << BigInt(start))) {
    if (!t.sets.includes(place as Place)) throw new Error(`table ${t.name} does not declare that it sets ${place}`)
  }
}

/** The field itself, or for a register the names of the bits that count. */
function placesOf(field: FieldName, mask: bigint): readonly string[] {
  if (!/^(?:x*reg\d+|metadata)$/.test(field)) return [field]
  return registersIn(field, mask)
}
