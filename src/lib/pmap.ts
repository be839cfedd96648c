/**
 * An immutable map that shares structure with its ancestors: a wide two-level table of small native Maps, copied on write.
 * Setting one key in 100,000 copies one bucket (about 16 entries) and one spine (a few kB). Iteration order is not defined: sort at the edge.
 */
export class PMap<K extends string, V> {
  readonly size: number
  readonly #buckets: readonly (ReadonlyMap<K, V> | undefined)[]

  private constructor(buckets: readonly (ReadonlyMap<K, V> | undefined)[], size: number) {
    this.#buckets = buckets
    this.size = size
  }

  static empty<K extends string, V>(): PMap<K, V> {
    return new PMap<K, V>([undefined], 0)
  }

  static from<K extends string, V>(entries: Iterable<readonly [K, V]>): PMap<K, V> {
    const draft = PMap.empty<K, V>().draft()
    for (const [k, v] of entries) draft.set(k, v)
    return draft.done()
  }

  get(key: K): V | undefined {
    return this.#buckets[slot(key, this.#buckets.length)]?.get(key)
  }

  has(key: K): boolean {
    return this.#buckets[slot(key, this.#buckets.length)]?.has(key) ?? false
  }

  *entries(): IterableIterator<[K, V]> {
    for (const bucket of this.#buckets) if (bucket !== undefined) yield* bucket.entries()
  }

  *keys(): IterableIterator<K> {
    for (const bucket of this.#buckets) if (bucket !== undefined) yield* bucket.keys()
  }

  *values(): IterableIterator<V> {
    for (const bucket of this.#buckets) if (bucket !== undefined) yield* bucket.values()
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  /** Keys whose value is another one (by `===`). Buckets that both maps share are skipped: the cost follows the change. */
  static *changes<K extends string, V>(before: PMap<K, V>, after: PMap<K, V>): IterableIterator<PMapChange<K, V>> {
    const aligned = before.#buckets.length === after.#buckets.length
    for (const [i, bucket] of after.#buckets.entries()) {
      if (bucket === undefined || (aligned && bucket === before.#buckets[i])) continue
      for (const [key, value] of bucket) {
        const old = before.get(key)
        if (old !== value) yield { key, before: old, after: value }
      }
    }
    for (const [i, bucket] of before.#buckets.entries()) {
      if (bucket === undefined || (aligned && bucket === after.#buckets[i])) continue
      for (const [key, value] of bucket) if (!after.has(key)) yield { key, before: value, after: undefined }
    }
  }

  set(key: K, value: V): PMap<K, V> {
    return this.draft().set(key, value).done()
  }

  delete(key: K): PMap<K, V> {
    return this.draft().delete(key).done()
  }

  /** A mutable copy for many writes; each bucket is copied at most once. The original never changes. */
  draft(): PMapDraft<K, V> {
    return new PMapDraft(this, this.#buckets, (buckets, size) => new PMap(buckets, size))
  }
}

export interface PMapChange<K, V> {
  readonly key: K
  readonly before: V | undefined
  readonly after: V | undefined
}

/** Reads see the writes made so far. Not usable after `done`. */
export class PMapDraft<K extends string, V> {
  readonly #origin: PMap<K, V>
  readonly #make: (buckets: readonly (ReadonlyMap<K, V> | undefined)[], size: number) => PMap<K, V>
  #buckets: (ReadonlyMap<K, V> | undefined)[]
  #owned: Set<ReadonlyMap<K, V>> = new Set()
  #size: number
  #changed = false

  constructor(
    origin: PMap<K, V>,
    buckets: readonly (ReadonlyMap<K, V> | undefined)[],
    make: (buckets: readonly (ReadonlyMap<K, V> | undefined)[], size: number) => PMap<K, V>,
  ) {
    this.#origin = origin
    this.#buckets = buckets as (ReadonlyMap<K, V> | undefined)[]
    this.#make = make
    this.#size = origin.size
  }

  get size(): number {
    return this.#size
  }

  get(key: K): V | undefined {
    return this.#buckets[slot(key, this.#buckets.length)]?.get(key)
  }

  has(key: K): boolean {
    return this.#buckets[slot(key, this.#buckets.length)]?.has(key) ?? false
  }

  set(key: K, value: V): this {
    const bucket = this.#own(slot(key, this.#buckets.length))
    if (!bucket.has(key)) this.#size++
    bucket.set(key, value)
    if (this.#size > this.#buckets.length * LOAD) this.#grow()
    return this
  }

  delete(key: K): this {
    if (!this.has(key)) return this
    this.#own(slot(key, this.#buckets.length)).delete(key)
    this.#size--
    return this
  }

  *entries(): IterableIterator<[K, V]> {
    for (const bucket of this.#buckets) if (bucket !== undefined) yield* bucket.entries()
  }

  done(): PMap<K, V> {
    return this.#changed ? this.#make(this.#buckets, this.#size) : this.#origin
  }

  #own(index: number): Map<K, V> {
    if (!this.#changed) {
      this.#buckets = this.#buckets.slice()
      this.#changed = true
    }
    const bucket = this.#buckets[index]
    if (bucket !== undefined && this.#owned.has(bucket)) return bucket as Map<K, V>
    const copy = new Map(bucket)
    this.#owned.add(copy)
    this.#buckets[index] = copy
    return copy
  }

  #grow(): void {
    const old = this.#buckets
    const count = old.length * GROWTH
    const next: (Map<K, V> | undefined)[] = new Array(count)
    this.#owned = new Set()
    for (const bucket of old) {
      if (bucket === undefined) continue
      for (const [k, v] of bucket) {
        const index = slot(k, count)
        let target = next[index]
        if (target === undefined) {
          target = new Map()
          next[index] = target
          this.#owned.add(target)
        }
        target.set(k, v)
      }
    }
    this.#buckets = next
    this.#changed = true
  }
}

const LOAD = 16
const GROWTH = 8

/** FNV-1a over UTF-16 code units; the count is a power of two. */
function slot(key: string, count: number): number {
  if (count === 1) return 0
  let h = 0x811c9dc5
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193)
  h ^= h >>> 15
  return (h >>> 0) & (count - 1)
}
