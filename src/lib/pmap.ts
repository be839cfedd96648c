/**
 * An immutable map that shares structure with its ancestors: a hash trie, 8 ways per level, with leaves of up to 24 entries in arrays of
 * exactly their size (about 30 bytes an entry). Setting one key in 100,000 copies six small nodes (about 1 kB). Iteration order is not defined: sort at the edge.
 */
export class PMap<K extends string, V> {
  readonly size: number
  readonly #root: Node<K, V>

  private constructor(root: Node<K, V>, size: number) {
    this.#root = root
    this.size = size
  }

  static readonly #make: MakeMap = (root, size) => new PMap(root, size)

  static empty<K extends string, V>(): PMap<K, V> {
    return new PMap<K, V>(new Leaf<K, V>(NOBODY, [], []), 0)
  }

  static from<K extends string, V>(entries: Iterable<readonly [K, V]>): PMap<K, V> {
    const draft = PMap.empty<K, V>().draft()
    for (const [k, v] of entries) draft.set(k, v)
    return draft.done()
  }

  get(key: K): V | undefined {
    return find(this.#root, key)
  }

  has(key: K): boolean {
    return holds(this.#root, key)
  }

  /** Keys whose value is another one (by `===`). Nodes that both maps share are skipped: the cost follows the change. */
  static changes<K extends string, V>(before: PMap<K, V>, after: PMap<K, V>): IterableIterator<PMapChange<K, V>> {
    return changedIn(before.#root, after.#root)
  }

  *entries(): IterableIterator<[K, V]> {
    for (const leaf of leaves(this.#root)) for (let i = 0; i < leaf.keys.length; i++) yield [leaf.keys[i] as K, leaf.values[i] as V]
  }

  *keys(): IterableIterator<K> {
    for (const leaf of leaves(this.#root)) yield* leaf.keys
  }

  *values(): IterableIterator<V> {
    for (const leaf of leaves(this.#root)) yield* leaf.values
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  set(key: K, value: V): PMap<K, V> {
    return this.draft().set(key, value).done()
  }

  delete(key: K): PMap<K, V> {
    return this.draft().delete(key).done()
  }

  /** A mutable copy for many writes; each node is copied at most once. The original never changes. */
  draft(): PMapDraft<K, V> {
    return new PMapDraft<K, V>(this, this.#root, PMap.#make)
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
  readonly #make: MakeMap
  /** Nodes with this mark were made here and may be changed in place. */
  readonly #owner: Owner = {}
  #root: Node<K, V>
  #size: number
  #changed = false

  constructor(origin: PMap<K, V>, root: Node<K, V>, make: MakeMap) {
    this.#origin = origin
    this.#root = root
    this.#make = make
    this.#size = origin.size
  }

  get size(): number {
    return this.#size
  }

  get(key: K): V | undefined {
    return find(this.#root, key)
  }

  has(key: K): boolean {
    return holds(this.#root, key)
  }

  set(key: K, value: V): this {
    const entry = { key, value, hash: hashText(key), owner: this.#owner, added: 0 }
    this.#root = put(this.#root, entry, 0)
    this.#size += entry.added
    this.#changed = true
    return this
  }

  delete(key: K): this {
    if (!holds(this.#root, key)) return this
    this.#root = take(this.#root, key, hashText(key), this.#owner) ?? new Leaf<K, V>(this.#owner, [], [])
    this.#size--
    this.#changed = true
    return this
  }

  *entries(): IterableIterator<[K, V]> {
    for (const leaf of leaves(this.#root)) for (let i = 0; i < leaf.keys.length; i++) yield [leaf.keys[i] as K, leaf.values[i] as V]
  }

  done(): PMap<K, V> {
    return this.#changed ? this.#make(this.#root, this.#size) : this.#origin
  }
}

type MakeMap = <K extends string, V>(root: Node<K, V>, size: number) => PMap<K, V>

/** Identity of the draft that made a node. */
type Owner = object
const NOBODY: Owner = {}

const BITS = 3
const WAYS = 2 ** BITS
const MASK = WAYS - 1
/** A leaf splits beyond this, unless all bits of the hash are used up. */
const LEAF = 24
const LAST_SHIFT = 30

class Leaf<K extends string, V> {
  readonly isLeaf = true
  readonly owner: Owner
  keys: K[]
  values: V[]
  constructor(owner: Owner, keys: K[], values: V[]) {
    this.owner = owner
    this.keys = keys
    this.values = values
  }
}

class Branch<K extends string, V> {
  readonly isLeaf = false
  readonly owner: Owner
  readonly children: (Node<K, V> | undefined)[]
  constructor(owner: Owner, children: (Node<K, V> | undefined)[]) {
    this.owner = owner
    this.children = children
  }
}

type Node<K extends string, V> = Leaf<K, V> | Branch<K, V>

interface Put<K extends string, V> {
  readonly key: K
  readonly value: V
  readonly hash: number
  readonly owner: Owner
  added: number
}

function leafOf<K extends string, V>(root: Node<K, V>, key: K): Leaf<K, V> | undefined {
  if (root.isLeaf) return root
  let hash = hashText(key)
  let node: Node<K, V> | undefined = root
  while (node !== undefined && !node.isLeaf) {
    node = node.children[hash & MASK]
    hash >>>= BITS
  }
  return node
}

function place<K extends string>(keys: readonly K[], key: K): number {
  for (let i = 0; i < keys.length; i++) if (keys[i] === key) return i
  return -1
}

function find<K extends string, V>(root: Node<K, V>, key: K): V | undefined {
  const leaf = leafOf(root, key)
  if (leaf === undefined) return undefined
  const index = place(leaf.keys, key)
  return index < 0 ? undefined : leaf.values[index]
}

function holds<K extends string, V>(root: Node<K, V>, key: K): boolean {
  const leaf = leafOf(root, key)
  return leaf !== undefined && place(leaf.keys, key) >= 0
}

function put<K extends string, V>(node: Node<K, V>, entry: Put<K, V>, shift: number): Node<K, V> {
  if (node.isLeaf) return putInLeaf(node, entry, shift)
  const own = node.owner === entry.owner ? node : new Branch(entry.owner, node.children.slice())
  const slot = (entry.hash >>> shift) & MASK
  const child = own.children[slot]
  if (child === undefined) {
    own.children[slot] = new Leaf(entry.owner, [entry.key], [entry.value])
    entry.added = 1
  } else own.children[slot] = put(child, entry, shift + BITS)
  return own
}

function putInLeaf<K extends string, V>(leaf: Leaf<K, V>, entry: Put<K, V>, shift: number): Node<K, V> {
  const index = place(leaf.keys, entry.key)
  if (index >= 0) {
    const own = leaf.owner === entry.owner ? leaf : new Leaf(entry.owner, leaf.keys, leaf.values.slice())
    own.values[index] = entry.value
    return own
  }
  entry.added = 1
  // Neither `push` nor spread: both keep room for as many again.
  const own = leaf.owner === entry.owner ? leaf : new Leaf(entry.owner, leaf.keys, leaf.values)
  own.keys = appended(leaf.keys, entry.key)
  own.values = appended(leaf.values, entry.value)
  return own.keys.length > LEAF && shift <= LAST_SHIFT ? split(own, entry.owner, shift) : own
}

function appended<T>(list: readonly T[], last: T): T[] {
  const copy = new Array<T>(list.length + 1)
  for (let i = 0; i < list.length; i++) copy[i] = list[i] as T
  copy[list.length] = last
  return copy
}

function split<K extends string, V>(leaf: Leaf<K, V>, owner: Owner, shift: number): Node<K, V> {
  let node: Node<K, V> = new Branch<K, V>(owner, new Array<Node<K, V> | undefined>(WAYS).fill(undefined))
  leaf.keys.forEach((key, i) => {
    node = put(node, { key, value: leaf.values[i] as V, hash: hashText(key), owner, added: 0 }, shift)
  })
  return node
}

/** Undefined when nothing is left. The key must be there. */
function take<K extends string, V>(node: Node<K, V>, key: K, hash: number, owner: Owner): Node<K, V> | undefined {
  if (node.isLeaf) {
    if (node.keys.length === 1) return undefined
    const index = place(node.keys, key)
    const keep = (_: unknown, i: number): boolean => i !== index
    return new Leaf(owner, node.keys.filter(keep).slice(), node.values.filter(keep).slice())
  }
  const own = node.owner === owner ? node : new Branch(owner, node.children.slice())
  const slot = hash & MASK
  const child = own.children[slot]
  if (child !== undefined) own.children[slot] = take(child, key, hash >>> BITS, owner)
  return own.children.some((c) => c !== undefined) ? own : undefined
}

function* leaves<K extends string, V>(root: Node<K, V>): IterableIterator<Leaf<K, V>> {
  const open: (Node<K, V> | undefined)[] = [root]
  while (open.length > 0) {
    const node = open.pop()
    if (node === undefined) continue
    if (node.isLeaf) yield node
    else for (const child of node.children) open.push(child)
  }
}

function* changedIn<K extends string, V>(
  before: Node<K, V> | undefined,
  after: Node<K, V> | undefined,
): IterableIterator<PMapChange<K, V>> {
  if (before === after) return
  if (before?.isLeaf === false && after?.isLeaf === false) {
    for (let slot = 0; slot < WAYS; slot++) yield* changedIn(before.children[slot], after.children[slot])
    return
  }
  const old = entriesIn(before)
  const now = entriesIn(after)
  for (const [key, value] of now) if (old.get(key) !== value || !old.has(key)) yield { key, before: old.get(key), after: value }
  for (const [key, value] of old) if (!now.has(key)) yield { key, before: value, after: undefined }
}

function entriesIn<K extends string, V>(node: Node<K, V> | undefined): Map<K, V> {
  const out = new Map<K, V>()
  if (node !== undefined) for (const leaf of leaves(node)) leaf.keys.forEach((key, i) => void out.set(key, leaf.values[i] as V))
  return out
}

/** FNV-1a over UTF-16 code units, mixed at the end so that each five bits are good. */
function hashText(key: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
