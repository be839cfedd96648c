import type { Item } from '../../backend.ts'
import { observedFlowItem } from '../compile/build.ts'
import { table } from '../compile/pipeline.ts'
import { register } from '../compile/registers.ts'
import type { FlowValue } from '../compile/values.ts'
import type { Action, Flow } from '../flow/types.ts'

export interface FlowChanges {
  readonly changes: readonly FlowChange[]
  readonly gone: readonly Item[]
}

interface FlowChange {
  readonly before?: Item
  readonly after: Item
}

/**
 * Changes in two steps where ports come under another set of rules and the former has no port left. A frame is given the number of its set before it is looked up among the connections, and
 * judged after that, by another entry of the datapath's cache. The two entries are not renewed at one time, so frames with the former number are judged for a moment after the flows
 * changed: without its rules they would be lost. So these stand, just as they were, until the datapath has followed. `held`: all flows that the switch holds now.
 */
export function inTwo(all: FlowChanges, held: () => Iterable<Item>): { readonly first: FlowChanges; readonly later?: FlowChanges } {
  const left = leftSets(all, held)
  if (left.size === 0) return { first: all }
  const ids = new Set(all.gone.filter((item) => left.has(setOf(flowOf(item)) ?? 0)).flatMap((item) => conjunctionsOf(flowOf(item))))
  const stays = ({ match, table: at }: Flow): boolean =>
    RULES.has(at) && (left.has(setOf({ match }) ?? 0) || ids.has(Number(match.conj_id?.value ?? 0n)))
  const first: FlowChange[] = []
  const later: FlowChange[] = []
  for (const change of all.changes) {
    const kept = change.before === undefined ? undefined : withBoth(flowOf(change.before), flowOf(change.after), ids)
    if (kept === undefined) first.push(change)
    else {
      const between = observedFlowItem(change.after.owners, kept)
      first.push({ ...change, after: between })
      later.push({ before: between, after: change.after })
    }
  }
  const goneFirst: Item[] = []
  const goneThen: Item[] = []
  for (const item of all.gone) {
    const kept = withBoth(flowOf(item), { ...flowOf(item), actions: [] }, ids)
    if (kept !== undefined && !stays(flowOf(item))) first.push({ before: item, after: observedFlowItem(item.owners, kept) })
    ;(kept !== undefined || stays(flowOf(item)) ? goneThen : goneFirst).push(item)
  }
  return { first: { changes: first, gone: goneFirst }, later: { changes: later, gone: goneThen } }
}

const RULES: ReadonlySet<number> = new Set([table('egress_rules').number, table('ingress_rules').number])
const GIVES: ReadonlySet<number> = new Set([table('classify').number, table('ingress').number])

/** Sets of rules that a port leaves which stays, and that no flow gives a frame any more. */
function leftSets({ changes, gone }: FlowChanges, held: () => Iterable<Item>): ReadonlySet<number> {
  const left = new Set<number>()
  for (const { before, after } of changes) {
    const number = before === undefined ? undefined : givenBy(flowOf(before))
    if (number !== undefined && number !== givenBy(flowOf(after))) left.add(number)
  }
  if (left.size === 0) return left
  const rewritten = new Set([...gone.map((i) => i.key), ...changes.map((c) => c.after.key)])
  const stay = [...held()].filter((item) => !rewritten.has(item.key))
  for (const item of [...stay, ...changes.map((c) => c.after)]) left.delete(givenBy(flowOf(item)) ?? 0)
  return left
}

/** The set that a flow puts frames under. */
function givenBy({ table: at, actions }: Flow): number | undefined {
  if (!GIVES.has(at)) return undefined
  const { field, start } = register('rules')
  const load = actions.find((a) => a.kind === 'load' && a.dst.field === field && a.dst.start === start)
  return load?.kind === 'load' && load.value !== 0n ? Number(load.value) : undefined
}

/** The set whose frames a flow is about. */
function setOf({ match }: Pick<Flow, 'match'>): number | undefined {
  const { field, start, bits } = register('rules')
  const value = match[field]
  const mask = ((1n << BigInt(bits)) - 1n) << BigInt(start)
  if (value === undefined || ((value.mask ?? mask) & mask) !== mask) return undefined
  return Number((value.value & mask) >> BigInt(start))
}

function conjunctionsOf({ actions }: Flow): number[] {
  return actions.flatMap((a) => (a.kind === 'conjunction' ? [a.id] : []))
}

/** A member's flow that goes on being one in the conjunctions `ids`, too; undefined: it was in none of them. */
function withBoth(before: Flow, after: Flow, ids: ReadonlySet<number>): Flow | undefined {
  if (!RULES.has(before.table)) return undefined
  const isKept = (a: Action): boolean => a.kind === 'conjunction' && ids.has(a.id)
  const kept = before.actions.filter(isKept)
  if (kept.length === 0) return undefined
  const actions = [...after.actions.filter((a) => !isKept(a)), ...kept]
  return { ...after, actions: actions.sort((a, b) => idOf(a) - idOf(b)) }
}

function idOf(action: Action): number {
  return action.kind === 'conjunction' ? action.id : 0
}

function flowOf(item: Item): Flow {
  return (item.value as FlowValue).flow
}
