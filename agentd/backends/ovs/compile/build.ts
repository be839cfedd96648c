import type { Key } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import { type FieldName, fieldOf } from '../flow/fields.ts'
import { formatFlow } from '../flow/format.ts'
import { formatActions } from '../flow/format-actions.ts'
import { formatMatch } from '../flow/format-match.ts'
import type { Action, Flow, Match, Subfield } from '../flow/types.ts'
import { checkFlow } from './check.ts'
import { BRIDGE } from './names.ts'
import { TABLES, table, tableByNumber } from './pipeline.ts'
import { isWhole, type RegisterMatch, type RegisterName, register, registerMatch, subfieldOf } from './registers.ts'
import type { TableName } from './tables.ts'
import type { FlowValue } from './values.ts'

/** A flow in the words of the pipeline: tables and registers by name. */
export interface FlowSpec {
  readonly table: TableName
  readonly priority: number
  readonly cookie: bigint
  /** Resources it exists for. */
  readonly owners: readonly Key[]
  readonly registers?: RegisterMatch
  /** In normal form (`words.ts`). */
  readonly match?: Match
  /** Empty: drop. */
  readonly actions: readonly Action[]
}

/** Throws (a bug of ours) when the flow matches, sets, outputs or jumps in a way its table does not declare. */
export function flowItem(spec: FlowSpec): Item {
  const t = table(spec.table)
  const named = spec.registers === undefined ? {} : registerMatch(spec.registers)
  const match: Match = spec.match === undefined ? named : { ...named, ...spec.match }
  checkFlow(t, match, spec.actions)
  return new FlowItem(spec.owners, {
    table: t.number,
    priority: spec.priority,
    cookie: spec.cookie,
    flags: NO_FLAGS,
    match,
    actions: spec.actions,
  })
}

const NO_FLAGS: Flow['flags'] = []

/** The item of a flow that was read from the switch: key and text are those that `flowItem` gives an equal flow. */
export function observedFlowItem(owners: readonly Key[], flow: Flow): Item {
  return new FlowItem(owners, flow)
}

/** Key and text share the text of the match, which is the dear part; the rest of the text is made when it is first asked for. */
class FlowItem implements Item {
  readonly key: string
  readonly owners: readonly Key[]
  readonly value: FlowValue
  #text: string | undefined

  constructor(owners: readonly Key[], flow: Flow) {
    this.key = flowItemKey(BRIDGE, flow)
    this.owners = owners
    this.value = { kind: 'flow', bridge: BRIDGE, flow }
  }

  get text(): string {
    this.#text ??= flowText(this.value.flow, this.key)
    return this.#text
  }
}

/** `flow br-int classify 100 in_port=3`. A table that is not ours goes by its number. */
export function flowItemKey(bridge: string, flow: Pick<Flow, 'table' | 'priority' | 'match'>): string {
  const text = formatMatch(flow.match)
  return `flow ${bridge} ${tableByNumber(flow.table)?.name ?? flow.table} ${flow.priority}${text === '' ? '' : ` ${text}`}`
}

/** What `formatFlow` says, without making the text of the match again. */
function flowText(flow: Flow, key: string): string {
  const plain =
    flow.idle_timeout === undefined && flow.hard_timeout === undefined && flow.importance === undefined && flow.flags.length === 0
  if (!plain) return formatFlow(flow)
  const match = key.split(' ')[4]
  const priority = match === undefined ? `priority=${flow.priority}` : `priority=${flow.priority},${match}`
  return `cookie=0x${flow.cookie.toString(16)}, table=${flow.table}, ${priority} actions=${formatActions(flow.actions)}`
}

export function goto(name: TableName): Action {
  return GOTO[name]
}

const GOTO: Readonly<Record<TableName, Action>> = Object.fromEntries(
  TABLES.map((t) => [t.name, { kind: 'goto_table', table: t.number }]),
) as Readonly<Record<TableName, Action>>

export function resubmit(name: TableName): Action {
  return { kind: 'resubmit', table: table(name).number }
}

export function output(port: number): Action {
  return { kind: 'output', port }
}

/** Writes named register bits. */
export function set(name: RegisterName, value: number): Action {
  return setWide(name, BigInt(value))
}

/** The same for values of more than 53 bits. */
export function setWide(name: RegisterName, value: bigint): Action {
  const r = register(name)
  if (isWhole(r)) return { kind: 'set_field', field: r.field, value }
  return { kind: 'load', dst: subfieldOf(name), value }
}

export function setField(field: FieldName, value: bigint): Action {
  return { kind: 'set_field', field, value }
}

/** Puts a VLAN tag on; OpenFlow's VID carries the "present" bit above the 12. */
export function pushTag(vlan: number): readonly Action[] {
  return [{ kind: 'push_vlan', ethertype: 0x8100 }, setField('vlan_vid', BigInt(0x1000 + vlan))]
}

export const POP_TAG: Action = { kind: 'pop_vlan' }

/** Copies a whole field. */
export function move(from: FieldName, to: FieldName): Action {
  return { kind: 'move', src: whole(from), dst: whole(to) }
}

/** Copies a field into the low bits of a register that is at least as wide. */
export function moveInto(from: FieldName, to: RegisterName): Action {
  const src = whole(from)
  return { kind: 'move', src, dst: { ...subfieldOf(to), bits: src.bits } }
}

/** Copies a register into a field of the same width. */
export function moveTo(from: RegisterName, to: FieldName): Action {
  return { kind: 'move', src: subfieldOf(from), dst: whole(to) }
}

function whole(field: FieldName): Subfield {
  return { field, start: 0, bits: fieldOf(field).bits }
}
