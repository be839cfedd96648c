/** What turns one keyed map into another. Lists are in the iteration order of the maps: sort at the edge that shows them. */
export interface KeyedDiff<K, V> {
  readonly added: readonly { readonly key: K; readonly after: V }[]
  readonly changed: readonly { readonly key: K; readonly before: V; readonly after: V }[]
  readonly removed: readonly { readonly key: K; readonly before: V }[]
}

interface Keyed<K, V> {
  readonly size: number
  get(key: K): V | undefined
  entries(): Iterable<readonly [K, V]>
}

/** The one diff: serves worlds, rows, flows and scopes. `same` decides by value. */
export function keyedDiff<K, V>(before: Keyed<K, V>, after: Keyed<K, V>, same: (a: V, b: V) => boolean): KeyedDiff<K, V> {
  const added: { key: K; after: V }[] = []
  const changed: { key: K; before: V; after: V }[] = []
  const removed: { key: K; before: V }[] = []
  for (const [key, next] of after.entries()) {
    const prev = before.get(key)
    if (prev === undefined) added.push({ key, after: next })
    else if (prev !== next && !same(prev, next)) changed.push({ key, before: prev, after: next })
  }
  if (after.size !== before.size + added.length) {
    for (const [key, prev] of before.entries()) if (after.get(key) === undefined) removed.push({ key, before: prev })
  }
  return { added, changed, removed }
}
