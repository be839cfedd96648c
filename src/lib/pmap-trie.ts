/*
 * The nodes below PMap: a hash trie of 8 ways with leaves of up to 32 entries. Nothing here changes a node that exists.
 */

export interface PMapChange<K, V> {
  readonly key: K
  readonly before: V | undefined
  readonly after: V | undefined
}

/** A deleted key among the writes of a draft. */
export const GONE: unique symbol = Symbol('gone')

const BITS = 3
const WAYS = 2 ** BITS
const MASK = WAYS - 1
/** A leaf splits beyond this, unless all bits of the hash are used up. */
const LEAF = 32
const LAST_SHIFT = 30

export interface Leaf<K extends string, V> {
  readonly keys: readonly K[]
  readonly values: readonly V[]
}

/** WAYS places. A plain array, not an object with one: each hop to a node is a cache miss. */
export type Branch<K extends string, V> = readonly (Node<K, V> | undefined)[]

export type Node<K extends string, V> = Leaf<K, V> | Branch<K, V>

export interface Write<K extends string, V> {
  readonly key: K
  readonly value: V | typeof GONE
  readonly hash: number
}

function isBranch<K extends string, V>(node: Node<K, V> | undefined): node is Branch<K, V> {
  return Array.isArray(node)
}

function leafOf<K extends string, V>(root: Node<K, V> | undefined, key: K): Leaf<K, V> | undefined {
  if (!isBranch(root)) return root
  let hash = hashText(key)
  let node: Node<K, V> | undefined = root
  while (isBranch(node)) {
    node = node[hash & MASK]
    hash >>>= BITS
  }
  return node
}

function place<K extends string>(keys: readonly K[], key: K): number {
  for (let i = 0; i < keys.length; i++) if (keys[i] === key) return i
  return -1
}

export function find<K extends string, V>(root: Node<K, V> | undefined, key: K): V | undefined {
  const leaf = leafOf(root, key)
  if (leaf === undefined) return undefined
  const index = place(leaf.keys, key)
  return index < 0 ? undefined : leaf.values[index]
}

export function holds<K extends string, V>(root: Node<K, V> | undefined, key: K): boolean {
  const leaf = leafOf(root, key)
  return leaf !== undefined && place(leaf.keys, key) >= 0
}

/** The node with all writes in it, each key at most once among them; undefined when nothing is left. */
export function apply<K extends string, V>(
  node: Node<K, V> | undefined,
  writes: readonly Write<K, V>[],
  shift: number,
): Node<K, V> | undefined {
  const [only] = writes
  if (writes.length === 1 && only !== undefined) return applyOne(node, only, shift)
  if (!isBranch(node)) return applyToLeaf(node, writes, shift)
  const children = node.slice()
  for (const [slot, part] of partition(writes, shift)) children[slot] = apply(children[slot], part, shift + BITS)
  return children.some((child) => child !== undefined) ? children : undefined
}

/** The common case, without lists: one line changed. */
function applyOne<K extends string, V>(node: Node<K, V> | undefined, write: Write<K, V>, shift: number): Node<K, V> | undefined {
  if (isBranch(node)) {
    const slot = (write.hash >>> shift) & MASK
    const child = applyOne(node[slot], write, shift + BITS)
    const children = node.slice()
    children[slot] = child
    return child !== undefined || children.some((c) => c !== undefined) ? children : undefined
  }
  const { key, value } = write
  const index = node === undefined ? -1 : place(node.keys, key)
  if (node === undefined || value === GONE || (index < 0 && node.keys.length >= LEAF)) return applyToLeaf(node, [write], shift)
  if (index < 0) return { keys: node.keys.concat([key]), values: node.values.concat([value]) }
  return { keys: node.keys, values: node.values.with(index, value) }
}

function applyToLeaf<K extends string, V>(
  leaf: Leaf<K, V> | undefined,
  writes: readonly Write<K, V>[],
  shift: number,
): Node<K, V> | undefined {
  const kept = leaf === undefined ? [] : keptEntries(leaf, writes)
  const all = writes.filter((w) => w.value !== GONE)
  const size = kept.length + all.length
  if (size === 0) return undefined
  if (size > LEAF && shift <= LAST_SHIFT) {
    const children = new Array<Node<K, V> | undefined>(WAYS).fill(undefined)
    const entries = [...kept.map((e) => ({ ...e, hash: hashText(e.key) })), ...all]
    for (const [slot, part] of partition(entries, shift)) children[slot] = applyToLeaf(undefined, part, shift + BITS)
    return children
  }
  // Neither `push` nor spread: both keep room for as many again.
  const keys = new Array<K>(size)
  const values = new Array<V>(size)
  let n = 0
  for (const { key, value } of kept) {
    keys[n] = key
    values[n++] = value
  }
  for (const { key, value } of all) {
    if (value === GONE) continue
    keys[n] = key
    values[n++] = value
  }
  return { keys, values }
}

function keptEntries<K extends string, V>(leaf: Leaf<K, V>, writes: readonly Write<K, V>[]): { key: K; value: V }[] {
  const written = new Set(writes.map((w) => w.key))
  const kept: { key: K; value: V }[] = []
  leaf.keys.forEach((key, i) => {
    if (!written.has(key)) kept.push({ key, value: leaf.values[i] as V })
  })
  return kept
}

function partition<W extends { readonly hash: number }>(writes: readonly W[], shift: number): Map<number, W[]> {
  const parts = new Map<number, W[]>()
  for (const write of writes) {
    const slot = (write.hash >>> shift) & MASK
    const part = parts.get(slot)
    if (part === undefined) parts.set(slot, [write])
    else part.push(write)
  }
  return parts
}

export function* leaves<K extends string, V>(root: Node<K, V> | undefined): IterableIterator<Leaf<K, V>> {
  const open: (Node<K, V> | undefined)[] = [root]
  while (open.length > 0) {
    const node = open.pop()
    if (isBranch(node)) for (const child of node) open.push(child)
    else if (node !== undefined) yield node
  }
}

export function* changedIn<K extends string, V>(
  before: Node<K, V> | undefined,
  after: Node<K, V> | undefined,
): IterableIterator<PMapChange<K, V>> {
  if (before === after) return
  if (isBranch(before) && isBranch(after)) {
    for (let slot = 0; slot < WAYS; slot++) yield* changedIn(before[slot], after[slot])
    return
  }
  const old = entriesIn(before)
  const now = entriesIn(after)
  for (const [key, value] of now) if (old.get(key) !== value || !old.has(key)) yield { key, before: old.get(key), after: value }
  for (const [key, value] of old) if (!now.has(key)) yield { key, before: value, after: undefined }
}

function entriesIn<K extends string, V>(node: Node<K, V> | undefined): Map<K, V> {
  const out = new Map<K, V>()
  for (const leaf of leaves(node)) leaf.keys.forEach((key, i) => void out.set(key, leaf.values[i] as V))
  return out
}

/** FNV-1a over UTF-16 code units, mixed at the end so that each five bits are good. */
export function hashText(key: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
