import type { Item } from '../../backend.ts'
import { flowItemKey, observedFlowItem } from '../compile/build.ts'
import { isOurs } from '../compile/cookie.ts'
import { BRIDGE } from '../compile/names.ts'
import { LEARNED } from '../compile/tables.ts'
import { formatFlow } from '../flow/format.ts'
import type { Flow } from '../flow/types.ts'

/** Ours to keep: carries our cookie, and the switch did not make it by itself. */
export function isKept(flow: Flow): boolean {
  return isOurs(flow.cookie) && flow.table !== LEARNED
}

/** What the switch holds on br-int. Kept in step by what is written and by what monitors tell. */
export interface FlowTables {
  readonly own: Map<string, Item>
  readonly foreign: Map<string, string>
}

/** A flow is there (new, or changed). */
export function noteFlow(tables: FlowTables, flow: Flow): void {
  if (isKept(flow)) {
    const item = observedFlowItem([], flow)
    tables.own.set(item.key, item)
    tables.foreign.delete(item.key)
  } else if (!isOurs(flow.cookie)) {
    const key = flowItemKey(BRIDGE, flow)
    tables.foreign.set(key, formatFlow(flow))
    tables.own.delete(key)
  }
}

/** A flow is gone. */
export function forgetFlow(tables: FlowTables, flow: Pick<Flow, 'table' | 'priority' | 'match' | 'cookie'>): void {
  const key = flowItemKey(BRIDGE, flow)
  tables.own.delete(key)
  tables.foreign.delete(key)
}
