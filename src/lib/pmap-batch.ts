/*
 * The writes of a draft on their way down a PMap's trie. They stand in columns and are parted by sorting row numbers: building a map of 100,000
 * entries makes no object per entry.
 */

/** A deleted key among the writes of a draft. */
export const GONE: unique symbol = Symbol('gone')

const BITS = 3
export const WAYS: number = 2 ** BITS
/** At and below this shift all bits of a hash are used up. */
export const LAST_SHIFT = 30

/** The place of a hash in a branch whose shift is given. */
export function slotAt(hash: number, shift: number): number {
  return (hash >>> shift) & (WAYS - 1)
}

export function below(shift: number): number {
  return shift + BITS
}

export interface Write<K extends string, V> {
  readonly key: K
  readonly value: V | typeof GONE
  readonly hash: number
}

interface Batch<K extends string, V> {
  readonly keys: readonly K[]
  readonly values: readonly (V | typeof GONE)[]
  readonly hashes: Uint32Array
  /** Row numbers. Each part sorts its own stretch and no other. */
  readonly order: Uint32Array
  readonly spare: Uint32Array
}

/** The writes whose hashes lead to one node: rows `from` to `to` (exclusive) of the batch's order. */
export interface Part<K extends string, V> {
  readonly batch: Batch<K, V>
  readonly from: number
  readonly to: number
  readonly shift: number
}

export function partOf<K extends string, V>(writes: ReadonlyMap<K, V | typeof GONE>, shift: number): Part<K, V> {
  const size = writes.size
  const keys = new Array<K>(size)
  const values = new Array<V | typeof GONE>(size)
  const hashes = new Uint32Array(size)
  const order = new Uint32Array(size)
  let n = 0
  for (const [key, value] of writes) {
    keys[n] = key
    values[n] = value
    hashes[n] = hashText(key)
    order[n] = n++
  }
  return { batch: { keys, values, hashes, order, spare: new Uint32Array(size) }, from: 0, to: size, shift }
}

export function writeAt<K extends string, V>({ batch }: Part<K, V>, place: number): Write<K, V> {
  const row = batch.order[place] ?? 0
  return { key: batch.keys[row] as K, value: batch.values[row] as V | typeof GONE, hash: batch.hashes[row] ?? 0 }
}

/** The writes for each place of a branch at the part's shift; places without writes are left out. */
export function split<K extends string, V>({ batch, from, to, shift }: Part<K, V>): readonly (readonly [number, Part<K, V>])[] {
  const { hashes, order, spare } = batch
  const next = new Array<number>(WAYS + 1).fill(0)
  for (let i = from; i < to; i++) {
    const slot = slotAt(hashes[order[i] ?? 0] ?? 0, shift) + 1
    next[slot] = (next[slot] ?? 0) + 1
  }
  next[0] = from
  for (let slot = 1; slot <= WAYS; slot++) next[slot] = (next[slot] ?? 0) + (next[slot - 1] ?? 0)
  const parts: [number, Part<K, V>][] = []
  for (let slot = 0; slot < WAYS; slot++) {
    const [first = 0, end = 0] = [next[slot], next[slot + 1]]
    if (first < end) parts.push([slot, { batch, from: first, to: end, shift: below(shift) }])
  }
  for (let i = from; i < to; i++) {
    const row = order[i] ?? 0
    const slot = slotAt(hashes[row] ?? 0, shift)
    const place = next[slot] ?? 0
    spare[place] = row
    next[slot] = place + 1
  }
  for (let i = from; i < to; i++) order[i] = spare[i] ?? 0
  return parts
}

/** FNV-1a over UTF-16 code units, mixed at the end so that any three bits are good. */
export function hashText(key: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
