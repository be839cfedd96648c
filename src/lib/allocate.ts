import { hash48 } from './digest.ts'

/** Name → number. */
export type Numbers = Readonly<Record<string, number>>

/** What a pool remembers between two calls. Plain JSON. */
export interface Pool {
  readonly held: Numbers
  /** Numbers of names that are gone: the same name gets its own back, and no other name gets one while a number was never used. */
  readonly freed: Numbers
  /** When each name in `freed` was freed: a counter; the smallest is the oldest. */
  readonly order: Numbers
}

/** Numbers `first` … `first + size - 1`. */
export interface NumberRange {
  readonly first: number
  readonly size: number
}

/** A pool has no number left. Carries what a message needs. */
export class PoolExhausted extends Error {
  readonly range: NumberRange
  constructor(range: NumberRange) {
    super(`no number left among ${range.first} to ${range.first + range.size - 1}`)
    this.range = range
  }
}

export const EMPTY_POOL: Pool = { held: {}, freed: {}, order: {} }

/** Freed numbers beyond this many are forgotten, oldest first, so that a pool does not grow for ever. */
export const MAX_FREED: number = 4096

/**
 * Gives every name a number and takes back those of names that are gone. Deterministic in (pool, set of names); a number once held never
 * moves while its name stays. Search starts at the name's hash and goes up, so unrelated names do not influence each other unless they collide.
 * Returns the same object when nothing changed. Throws `PoolExhausted` when there are more names than numbers.
 */
export function allocate(pool: Pool, names: Iterable<string>, range: NumberRange): Pool {
  const wanted = new Set(names)
  const gone = Object.keys(pool.held).filter((name) => !wanted.has(name))
  const fresh = [...wanted].filter((name) => !Object.hasOwn(pool.held, name)).sort()
  if (gone.length === 0 && fresh.length === 0) return pool
  const draft = new Draft(pool, range)
  for (const name of gone.sort()) draft.free(name)
  for (const name of fresh) draft.take(name)
  return draft.done()
}

class Draft {
  readonly #held: Map<string, number>
  readonly #freed: Map<string, number>
  readonly #order: Map<string, number>
  readonly #used: Set<number>
  readonly #range: NumberRange
  #clock: number

  constructor(pool: Pool, range: NumberRange) {
    this.#held = new Map(Object.entries(pool.held))
    this.#freed = new Map(Object.entries(pool.freed))
    this.#order = new Map(Object.entries(pool.order))
    this.#used = new Set([...this.#held.values(), ...this.#freed.values()])
    this.#range = range
    this.#clock = Math.max(0, ...this.#order.values())
  }

  free(name: string): void {
    this.#freed.set(name, this.#held.get(name) ?? 0)
    this.#order.set(name, ++this.#clock)
    this.#held.delete(name)
  }

  take(name: string): void {
    const own = this.#freed.get(name)
    const number = own ?? this.#neverUsed(name) ?? this.#reclaim()
    if (own !== undefined) this.#forget(name)
    this.#held.set(name, number)
    this.#used.add(number)
  }

  #neverUsed(name: string): number | undefined {
    const { first, size } = this.#range
    if (this.#used.size >= size) return undefined
    const start = hash48(name) % size
    for (let i = 0; i < size; i++) {
      const number = first + ((start + i) % size)
      if (!this.#used.has(number)) return number
    }
    return undefined
  }

  #reclaim(): number {
    const oldest = this.#oldestFreed()
    if (oldest === undefined) throw new PoolExhausted(this.#range)
    const number = this.#freed.get(oldest) ?? 0
    this.#forget(oldest)
    return number
  }

  #oldestFreed(): string | undefined {
    let oldest: string | undefined
    let age = Number.POSITIVE_INFINITY
    for (const [name, at] of this.#order) {
      if (at < age) [oldest, age] = [name, at]
    }
    return oldest
  }

  #forget(name: string): void {
    this.#freed.delete(name)
    this.#order.delete(name)
  }

  done(): Pool {
    const excess = this.#freed.size - MAX_FREED
    if (excess > 0) {
      const byAge = [...this.#order].sort((a, b) => a[1] - b[1])
      for (const [name] of byAge.slice(0, excess)) this.#forget(name)
    }
    return { held: sorted(this.#held), freed: sorted(this.#freed), order: sorted(this.#order) }
  }
}

function sorted(numbers: ReadonlyMap<string, number>): Numbers {
  return Object.fromEntries([...numbers].sort(([a], [b]) => (a < b ? -1 : 1)))
}
