import { resourceId } from '../../kinds/identity.ts'
import type { Json } from '../../model/brand.ts'
import { compareText, type Key } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Scope } from '../../model/scope.ts'
import type { HeldBlock } from './block-index.ts'
import { type Fact, readerKey } from './facts.ts'
import type { KindSet } from './kind-set.ts'
import type { State } from './state.ts'

/** One run of the engine over a world under change: who still has to be looked at, and what was touched. */
export interface Run {
  readonly kinds: KindSet
  readonly state: State
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Per kind: resources to check and resolve again. */
  readonly dirty: Map<string, Set<Key>>
  /** Resources to lower again. */
  readonly lower: Set<Key>
  readonly touched: Set<Key>
  readonly slots: Set<string>
  /** Slots that their holders write no more and would keep: who writes them in the same change comes first. */
  readonly unwritten: Set<string>
  readonly scopes: Set<Scope>
  readonly hosts: Set<string>
  /** Sorted users and names: they stand still while resources are evaluated. */
  readonly sorted: Map<string, readonly string[]>
  /** Pools found full, by pool and ranges; forgotten when the pool gets room. */
  readonly full: Map<string, Map<string, FullPool>>
  /** Blocks of pools that were asked for some, sorted by address. */
  readonly blocks: Map<string, HeldBlock[]>
  /** Per pool of blocks: length and start of a stretch → up to where it is full. */
  readonly searched: Map<string, Map<string, bigint>>
  /** Parts of resources that somebody asked for. */
  readonly parts: Map<Fact, Json>
  /** One string per fact and per pool, however often it is named. */
  readonly facts: Map<Fact, Fact>
  /** One list per sequence of facts, by their joined text. */
  readonly lists: Map<string, readonly Fact[]>
  /** Kind → project of the one who names → name → key. */
  readonly names: Map<string, Map<string, Map<string, Key>>>
  /** Kind of the users → target → fact. */
  readonly users: Map<string, Map<Key, Fact>>
  /** UUIDs of resources that were declared in this run. */
  readonly ids: Map<Key, string>
}

export interface FullPool {
  readonly size: bigint
  readonly used: number
  readonly holders: readonly Key[]
}

export function startRun(kinds: KindSet, state: State, now: number): Run {
  return {
    kinds,
    state,
    now,
    dirty: new Map(kinds.order.map((k) => [k.kind, new Set<Key>()])),
    lower: new Set(),
    touched: new Set(),
    slots: new Set(),
    unwritten: new Set(),
    scopes: new Set(),
    hosts: new Set(),
    sorted: new Map(),
    full: new Map(),
    blocks: new Map(),
    searched: new Map(),
    parts: new Map(),
    facts: new Map(),
    lists: new Map(),
    names: new Map(),
    users: new Map(),
    ids: new Map(),
  }
}

/** The resource's UUID; computing it costs a hash, so once per run. */
export function idOf(run: Run, declared: Declared): string {
  let id = run.ids.get(declared.key)
  if (id === undefined) {
    id = resourceId(declared)
    run.ids.set(declared.key, id)
  }
  return id
}

export function markDirty(run: Run, key: Key): void {
  run.dirty.get(kindOf(key))?.add(key)
}

/** Everybody who read the fact has to look again. */
export function wake(run: Run, fact: Fact): void {
  for (const [reader] of run.state.readers.inner(fact)) {
    const { key, lowerOnly } = readerKey(reader)
    if (lowerOnly) run.lower.add(key)
    else markDirty(run, key)
  }
}

export function kindOf(key: Key): string {
  return key.slice(0, key.indexOf('/'))
}

export function sortedKeys<K extends string>(entries: Iterable<readonly [K, unknown]>): K[] {
  const keys: K[] = []
  for (const [key] of entries) keys.push(key)
  return keys.sort(compareText)
}
