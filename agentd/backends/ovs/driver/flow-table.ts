import type { Foreign, Item } from '../../backend.ts'
import { flowItemKey, observedFlowItem } from '../compile/build.ts'
import { isOurs } from '../compile/cookie.ts'
import { BRIDGE } from '../compile/names.ts'
import { isHeard } from '../compile/pipeline.ts'
import type { FlowValue } from '../compile/values.ts'
import { formatFlow } from '../flow/format.ts'
import type { Flow } from '../flow/types.ts'
import { isMetered } from './meter-table.ts'
import { harmOf, type KeyedFlow } from './outranking.ts'

/** Ours to keep: carries our cookie, and follows from intents. */
export function isKept(flow: Flow): boolean {
  return isOurs(flow.cookie) && !isHeard(flow.table)
}

/** What the switch holds on br-int. Kept in step by what is written and by what monitors tell. */
export interface FlowTables {
  readonly own: Map<string, Item>
  readonly foreign: Map<string, ForeignFlow>
  /** Keys of our flows that send copies which a meter holds back. */
  readonly metered: Set<string>
}

export function noFlows(): FlowTables {
  return { own: new Map(), foreign: new Map(), metered: new Set() }
}

export interface ForeignFlow {
  readonly text: string
  /** Absent: it cannot be read. */
  readonly flow?: Flow
}

/** A flow is there (new, or changed). Returns what was noted; undefined for one that the switch made from ours by itself. */
export function noteFlow(tables: FlowTables, flow: Flow): Pick<Item, 'key' | 'text'> | undefined {
  if (isKept(flow)) {
    const item = observedFlowItem([], flow)
    tables.own.set(item.key, item)
    tables.foreign.delete(item.key)
    if (isMetered(flow)) tables.metered.add(item.key)
    else tables.metered.delete(item.key)
    return item
  }
  if (isOurs(flow.cookie)) return undefined
  const key = flowItemKey(BRIDGE, flow)
  const text = formatFlow(flow)
  tables.foreign.set(key, { text, flow })
  tables.own.delete(key)
  tables.metered.delete(key)
  return { key, text }
}

/** A flow is gone. Returns its key. */
export function forgetFlow(tables: FlowTables, flow: Pick<Flow, 'table' | 'priority' | 'match' | 'cookie'>): string {
  const key = flowItemKey(BRIDGE, flow)
  tables.own.delete(key)
  tables.foreign.delete(key)
  tables.metered.delete(key)
  return key
}

/** Flows of others, each with what it keeps from ours. */
export function foreignFlows({ own, foreign }: FlowTables): Foreign[] {
  if (foreign.size === 0) return []
  const byTable = new Map<number, KeyedFlow[]>()
  for (const { flow } of foreign.values()) if (flow !== undefined) byTable.set(flow.table, [])
  for (const { key, value } of own.values()) {
    const { flow } = value as FlowValue
    byTable.get(flow.table)?.push({ key, flow })
  }
  return [...foreign].map(([where, { text, flow }]) => {
    const harm = flow === undefined ? undefined : harmOf(flow, byTable.get(flow.table) ?? [])
    return harm === undefined ? { where, text } : { where, text: `${text}; ${harm.cause}`, harm }
  })
}
