import { below, GONE, hashText, LAST_SHIFT, type Part, partOf, slotAt, split, WAYS, type Write, writeAt } from './pmap-batch.ts'

/*
 * The nodes below PMap: a hash trie of 8 ways with leaves of up to 32 entries. Nothing here changes a node that exists.
 */

export interface PMapChange<K, V> {
  readonly key: K
  readonly before: V | undefined
  readonly after: V | undefined
}

/** A leaf splits beyond this, unless all bits of the hash are used up. */
const LEAF = 32

export interface Leaf<K extends string, V> {
  readonly keys: readonly K[]
  readonly values: readonly V[]
}

/** WAYS places. A plain array, not an object with one: each hop to a node is a cache miss. */
export type Branch<K extends string, V> = readonly (Node<K, V> | undefined)[]

export type Node<K extends string, V> = Leaf<K, V> | Branch<K, V>

function isBranch<K extends string, V>(node: Node<K, V> | undefined): node is Branch<K, V> {
  return Array.isArray(node)
}

function leafOf<K extends string, V>(root: Node<K, V> | undefined, key: K): Leaf<K, V> | undefined {
  if (!isBranch(root)) return root
  const hash = hashText(key)
  let node: Node<K, V> | undefined = root
  for (let shift = 0; isBranch(node); shift = below(shift)) node = node[slotAt(hash, shift)]
  return node
}

function place<K extends string>(keys: readonly K[], key: K): number {
  // Keys of one leaf mostly are as long as each other and begin alike: their ends tell them apart without reading all of them.
  const end = key.length - 1
  const last = key[end]
  for (let i = 0; i < keys.length; i++) {
    const other = keys[i] ?? ''
    if (other[end] === last && other === key) return i
  }
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

/** The node with all writes in it; undefined when nothing is left. A key that is deleted is there. */
export function apply<K extends string, V>(node: Node<K, V> | undefined, part: Part<K, V>): Node<K, V> | undefined {
  if (part.to - part.from === 1) return applyOne(node, writeAt(part, part.from), part.shift)
  if (node === undefined) return build(part)
  if (!isBranch(node)) return applyToLeaf(node, writesOf(part), part.shift)
  const children = node.slice()
  for (const [slot, rest] of split(part)) children[slot] = apply(children[slot], rest)
  return children.some((child) => child !== undefined) ? children : undefined
}

/** The common case, without lists: one line changed. */
function applyOne<K extends string, V>(node: Node<K, V> | undefined, write: Write<K, V>, shift: number): Node<K, V> | undefined {
  if (isBranch(node)) {
    const slot = slotAt(write.hash, shift)
    const child = applyOne(node[slot], write, below(shift))
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
  writes: Iterable<Write<K, V>>,
  shift: number,
): Node<K, V> | undefined {
  const entries = new Map<K, V>()
  leaf?.keys.forEach((key, i) => void entries.set(key, leaf.values[i] as V))
  for (const { key, value } of writes) {
    if (value === GONE) entries.delete(key)
    else entries.set(key, value)
  }
  return build(partOf(entries, shift))
}

/** A node of these writes alone, none of which deletes. */
function build<K extends string, V>(part: Part<K, V>): Node<K, V> | undefined {
  const size = part.to - part.from
  if (size === 0) return undefined
  if (size > LEAF && part.shift <= LAST_SHIFT) {
    const children = new Array<Node<K, V> | undefined>(WAYS).fill(undefined)
    for (const [slot, rest] of split(part)) children[slot] = build(rest)
    return children
  }
  // Neither `push` nor spread: both keep room for as many again.
  const keys = new Array<K>(size)
  const values = new Array<V>(size)
  for (let i = 0; i < size; i++) {
    const { key, value } = writeAt(part, part.from + i)
    keys[i] = key
    values[i] = value as V
  }
  return { keys, values }
}

function* writesOf<K extends string, V>(part: Part<K, V>): IterableIterator<Write<K, V>> {
  for (let i = part.from; i < part.to; i++) yield writeAt(part, i)
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
