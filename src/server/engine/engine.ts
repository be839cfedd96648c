import { type KindDefinition, NOTHING } from '../../kinds/kind.ts'
import { compareText, type Key } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import { indexBlocks } from './block-index.ts'
import { declare } from './declare.ts'
import { evaluate } from './evaluate.ts'
import { factKey, lowerReader } from './facts.ts'
import { type KindSet, orderKinds } from './kind-set.ts'
import { lowerAll } from './lowering.ts'
import { recordReads } from './reads.ts'
import { type Run, startRun } from './run.ts'
import { offerUnwritten, releaseAll } from './settle.ts'
import { draftState, EMPTY_WORLD, finishState, indexOf } from './state.ts'
import type { Allocations, DeclaredOps, Engine, Footprint, Step, World } from './types.ts'
import { wakeReaders } from './wake-readers.ts'

/** Throws when the kinds do not fit together. The engine itself keeps nothing: worlds go in and out. */
export function createEngine(kinds: readonly KindDefinition[]): Engine {
  const set = orderKinds(kinds)
  return {
    empty: () => EMPTY_WORLD,
    step: (base, ops, { now }) => evolve(startRun(set, draftState(base), now), ops, []),
    rebuild: (declared, allocations, { now }) => rebuild(set, declared, allocations, now),
    footprint,
  }
}

function rebuild(kinds: KindSet, declared: Iterable<Declared>, allocations: Allocations, now: number): World {
  const all = [...declared]
  const known = new Set(all.map((d) => d.key))
  const orphans = [...allocations.byOwner.keys()].filter((owner) => !known.has(owner))
  const run = startRun(kinds, draftState({ ...EMPTY_WORLD, allocations }), now)
  indexBlocks(run.state, allocations)
  return evolve(run, { set: all, del: [] }, orphans.sort(compareText)).world
}

/** `orphans` hold values without being declared: they are treated as just deleted. */
function evolve(run: Run, ops: DeclaredOps, orphans: readonly Key[]): Step {
  for (const key of declare(run, ops)) forget(run, key)
  for (const key of orphans) releaseAll(run, key)
  evaluateAll(run)
  lowerAll(run)
  return {
    world: finishState(run.state),
    touched: run.touched,
    touchedScopes: run.scopes,
    touchedHosts: run.hosts,
    touchedSlots: run.slots,
  }
}

/** A deleted resource leaves its value, its findings and what it read; its lowering goes with the others'. */
function forget(run: Run, key: Key): void {
  const { resources, findings } = run.state
  releaseAll(run, key)
  recordReads(run, key, [])
  recordReads(run, lowerReader(key), [])
  findings.delete(key)
  run.lower.add(key)
  const old = resources.get(key)
  if (old === undefined) return
  resources.delete(key)
  run.touched.add(key)
  wakeReaders(run, key, old, undefined)
}

/** More rounds than this over one kind can only mean two resources that wake each other for ever: a mistake of a kind. */
const ROUNDS = 10_000

/**
 * Kind by kind, in the order of `after`. Within a kind everybody claims what is written before anybody chooses what is free; who is woken by
 * a value given up looks again before the choosing starts.
 */
function evaluateAll(run: Run): void {
  const late = new Set<Key>()
  for (let round = 0; round < ROUNDS; round++) {
    const kind = run.kinds.order.find((k) => dirtyOf(run, k).size > 0)
    if (kind === undefined) return
    claimRound(run, kind, late)
    if (late.size === 0) continue
    const batch = [...late].sort(compareText)
    late.clear()
    for (const key of batch) {
      dirtyOf(run, kind).delete(key)
      evaluate(run, key, true)
    }
  }
  throw new Error('the resources do not come to rest')
}

/** Looks at everybody who is due, until nobody is; `late` collects who has to choose. */
function claimRound(run: Run, kind: KindDefinition, late: Set<Key>): void {
  const due = dirtyOf(run, kind)
  for (let round = 0; due.size > 0; round++) {
    if (round === ROUNDS) throw new Error(`resources of kind ${kind.kind} wake each other for ever`)
    const batch = [...due].sort(compareText)
    for (const key of batch) {
      due.delete(key)
      late.delete(key)
      const declared = run.state.declared.get(key)
      if (declared === undefined) continue
      const claims = kind.claims?.(declared.spec) !== false
      if (!claims) offerUnwritten(run, key)
      if (!claims || evaluate(run, key, false)) late.add(key)
    }
  }
}

function dirtyOf(run: Run, kind: KindDefinition): Set<Key> {
  return run.dirty.get(kind.kind) ?? new Set()
}

function footprint(world: World, key: Key): Footprint | undefined {
  if (!world.declared.has(key)) return undefined
  const index = indexOf(world)
  const reads = new Set<Key>()
  for (const reader of [key, lowerReader(key)]) {
    for (const fact of index.reads.get(reader) ?? []) {
      const read = factKey(fact)
      if (read !== undefined && world.declared.has(read)) reads.add(read)
    }
  }
  return { reads: [...reads], lowered: index.lowered.get(key) ?? NOTHING }
}
