import type { KindDefinition } from '../../kinds/kind.ts'
import { topologicalOrder } from '../../lib/order.ts'
import { compareText, keyParts } from '../../model/key.ts'
import type { Change } from './types.ts'

/** Position of each kind: after every kind it reads. */
export function kindOrder(kinds: readonly KindDefinition[]): ReadonlyMap<string, number> {
  const after = new Map(kinds.map((k) => [k.kind, k.after]))
  const names = [...after.keys()].sort(compareText)
  const order = topologicalOrder(names, (name) => [...(after.get(name) ?? [])].sort(compareText))
  if (!order.ok) throw new Error(`kinds read each other in a circle: ${order.cycle.join(' → ')}`)
  return new Map(order.order.map((name, i) => [name, i]))
}

/**
 * The order of a plan: deletions first, dependents before what they depend on; then everything else, dependencies first. Within a kind by
 * key. Depends on nothing but the changes.
 */
export function compareChanges(kinds: ReadonlyMap<string, number>): (a: Change, b: Change) => number {
  const rank = (change: Change): number => {
    const at = kinds.get(keyParts(change.key).kind) ?? kinds.size
    return change.action === 'delete' ? -1 - at : at
  }
  return (a, b) => rank(a) - rank(b) || compareText(a.key, b.key)
}
