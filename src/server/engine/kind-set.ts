import type { KindDefinition } from '../../kinds/kind.ts'
import { topologicalOrder } from '../../lib/order.ts'

/** The kinds an engine knows, in the order in which they are evaluated. */
export interface KindSet {
  readonly order: readonly KindDefinition[]
  readonly byName: ReadonlyMap<string, KindDefinition>
  /** Kind → kinds whose resolved resources its `check` and `resolve` may read: `after`, all the way. */
  readonly readable: ReadonlyMap<string, ReadonlySet<string>>
}

/** Throws on kinds that cannot work together: the same name twice, an unknown `after`, a cycle. All are mistakes of the program. */
export function orderKinds(kinds: readonly KindDefinition[]): KindSet {
  const byName = new Map<string, KindDefinition>()
  for (const kind of kinds) {
    if (byName.has(kind.kind)) throw new Error(`two kinds are called ${kind.kind}`)
    byName.set(kind.kind, kind)
  }
  const after = (kind: KindDefinition): KindDefinition[] =>
    kind.after.map((name) => {
      const other = byName.get(name)
      if (other === undefined) throw new Error(`kind ${kind.kind} comes after ${name}, which does not exist`)
      return other
    })
  const result = topologicalOrder(kinds, after)
  if (!result.ok) throw new Error(`kinds come after each other in a circle: ${result.cycle.map((k) => k.kind).join(' → ')}`)
  const readable = new Map<string, ReadonlySet<string>>()
  for (const kind of result.order) {
    const own = new Set<string>()
    for (const other of after(kind)) for (const name of [other.kind, ...(readable.get(other.kind) ?? [])]) own.add(name)
    readable.set(kind.kind, own)
  }
  return { order: result.order, byName, readable }
}
