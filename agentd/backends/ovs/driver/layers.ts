/**
 * Several maps without a key in common, read as one. Nothing is copied, so it costs the same however much they hold; and it shows what they hold when it is asked, not when it was made.
 */
export class Layers<V> implements ReadonlyMap<string, V> {
  readonly #maps: readonly ReadonlyMap<string, V>[]

  constructor(maps: readonly ReadonlyMap<string, V>[]) {
    this.#maps = maps
  }

  get size(): number {
    return this.#maps.reduce((sum, map) => sum + map.size, 0)
  }

  get(key: string): V | undefined {
    for (const map of this.#maps) {
      const value = map.get(key)
      if (value !== undefined) return value
    }
    return undefined
  }

  has(key: string): boolean {
    return this.#maps.some((map) => map.has(key))
  }

  *entries(): MapIterator<[string, V]> {
    for (const map of this.#maps) yield* map.entries()
  }

  *keys(): MapIterator<string> {
    for (const map of this.#maps) yield* map.keys()
  }

  *values(): MapIterator<V> {
    for (const map of this.#maps) yield* map.values()
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries()
  }

  forEach(each: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this) each(value, key, this)
  }
}
