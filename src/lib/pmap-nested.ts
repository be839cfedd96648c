import { PMap, type PMapDraft } from './pmap.ts'

/** A map of maps under change: each inner map is drafted at most once, and one that runs empty disappears. */
export interface NestedDraft<A extends string, B extends string, V> {
  get(outer: A, inner: B): V | undefined
  /** The inner map as it is now; absent when empty. Costs nothing where it was not changed. */
  inner(outer: A): Iterable<readonly [B, V]>
  size(outer: A): number
  set(outer: A, inner: B, value: V): void
  delete(outer: A, inner: B): void
  done(): PMap<A, PMap<B, V>>
}

export function draftNested<A extends string, B extends string, V>(origin: PMap<A, PMap<B, V>>): NestedDraft<A, B, V> {
  const open = new Map<A, PMapDraft<B, V>>()
  const drafted = (outer: A): PMapDraft<B, V> => {
    let draft = open.get(outer)
    if (draft === undefined) {
      draft = (origin.get(outer) ?? PMap.empty<B, V>()).draft()
      open.set(outer, draft)
    }
    return draft
  }
  return {
    get: (outer, inner) => (open.get(outer) ?? origin.get(outer))?.get(inner),
    inner: (outer) => (open.get(outer) ?? origin.get(outer))?.entries() ?? [],
    size: (outer) => (open.get(outer) ?? origin.get(outer))?.size ?? 0,
    set: (outer, inner, value) => void drafted(outer).set(inner, value),
    delete: (outer, inner) => void drafted(outer).delete(inner),
    done: () => {
      const result = origin.draft()
      for (const [outer, draft] of open) {
        const map = draft.done()
        if (map.size === 0) result.delete(outer)
        else if (map !== origin.get(outer)) result.set(outer, map)
      }
      return result.done()
    },
  }
}
