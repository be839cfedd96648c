/**
 * An immutable map that shares structure with its ancestors: a hash trie, 32 ways per level, with small leaves. Setting one key in 100,000
 * copies three nodes (about 1 kB). Iteration order is not defined: sort at the edge.
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
    const before = this.#size
    const added = { count: 0 }
    this.#root = put(this.#root, { key, value, hash: hashText(key), owner: this.#owner, added }, 0)
    this.#size = before + added.count
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

const BITS = 5
const WAYS = 2 ** BITS
const MASK = WAYS - 1
/** A leaf splits beyond this, unless all bits of the hash are used up. */
const LEAF = 12
const LAST_SHIFT = 30

class Leaf<K extends string, V> {
  readonly owner: Owner
  readonly keys: K[]
  readonly values: V[]
  constructor(owner: Owner, keys: K[], values: V[]) {
    this.owner = owner
    this.keys = keys
    this.values = values
  }
}

class Branch<K extends string, V> {
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
  readonly added: { count: number }
}

function leafOf<K extends string, V>(root: Node<K, V>, key: K): Leaf<K, V> | undefined {
  if (root instanceof Leaf) return root
  const hash = hashText(key)
  let node: Node<K, V> | undefined = root
  for (let shift = 0; node instanceof Branch; shift += BITS) node = node.children[(hash >>> shift) & MASK]
  return node
}

function find<K extends string, V>(root: Node<K, V>, key: K): V | undefined {
  const leaf = leafOf(root, key)
  if (leaf === undefined) return undefined
  const index = leaf.keys.indexOf(key)
  return index < 0 ? undefined : leaf.values[index]
}

function holds<K extends string, V>(root: Node<K, V>, key: K): boolean {
  return leafOf(root, key)?.keys.includes(key) ?? false
}

function put<K extends string, V>(node: Node<K, V>, entry: Put<K, V>, shift: number): Node<K, V> {
  if (node instanceof Leaf) return putInLeaf(node, entry, shift)
  const own = node.owner === entry.owner ? node : new Branch(entry.owner, node.children.slice())
  const slot = (entry.hash >>> shift) & MASK
  const child = own.children[slot]
  if (child === undefined) {
    own.children[slot] = new Leaf(entry.owner, [entry.key], [entry.value])
    entry.added.count = 1
  } else own.children[slot] = put(child, entry, shift + BITS)
  return own
}

function putInLeaf<K extends string, V>(leaf: Leaf<K, V>, entry: Put<K, V>, shift: number): Node<K, V> {
  const own = leaf.owner === entry.owner ? leaf : new Leaf(entry.owner, leaf.keys.slice(), leaf.values.slice())
  const index = own.keys.indexOf(entry.key)
  if (index >= 0) {
    own.values[index] = entry.value
    return own
  }
  own.keys.push(entry.key)
  own.values.push(entry.value)
  entry.added.count = 1
  return own.keys.length > LEAF && shift <= LAST_SHIFT ? split(own, entry.owner, shift) : own
}

function split<K extends string, V>(leaf: Leaf<K, V>, owner: Owner, shift: number): Node<K, V> {
  let node: Node<K, V> = new Branch<K, V>(owner, new Array<Node<K, V> | undefined>(WAYS).fill(undefined))
  leaf.keys.forEach((key, i) => {
    node = put(node, { key, value: leaf.values[i] as V, hash: hashText(key), owner, added: { count: 0 } }, shift)
  })
  return node
}

/** Undefined when nothing is left. The key must be there. */
function take<K extends string, V>(node: Node<K, V>, key: K, hash: number, owner: Owner, shift = 0): Node<K, V> | undefined {
  if (node instanceof Leaf) {
    if (node.keys.length === 1) return undefined
    const index = node.keys.indexOf(key)
    const keep = (_: unknown, i: number): boolean => i !== index
    return new Leaf(owner, node.keys.filter(keep), node.values.filter(keep))
  }
  const own = node.owner === owner ? node : new Branch(owner, node.children.slice())
  const slot = (hash >>> shift) & MASK
  const child = own.children[slot]
  if (child !== undefined) own.children[slot] = take(child, key, hash, owner, shift + BITS)
  return own.children.some((c) => c !== undefined) ? own : undefined
}

function* leaves<K extends string, V>(root: Node<K, V>): IterableIterator<Leaf<K, V>> {
  const open: (Node<K, V> | undefined)[] = [root]
  while (open.length > 0) {
    const node = open.pop()
    if (node instanceof Leaf) yield node
    else if (node !== undefined) open.push(...node.children)
  }
}

function* changedIn<K extends string, V>(
  before: Node<K, V> | undefined,
  after: Node<K, V> | undefined,
): IterableIterator<PMapChange<K, V>> {
  if (before === after) return
  if (before instanceof Branch && after instanceof Branch) {
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
