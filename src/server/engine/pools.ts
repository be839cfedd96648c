import type { AllocateOptions, Claim, Pools, ValueRange } from '../../kinds/kind.ts'
import { hash48 } from '../../lib/digest.ts'
import { compareText, type Key } from '../../model/key.ts'
import { type Asker, type Asking, DEFERRED, holdingsOf, onePool, ownHoldings, RANK, RESERVATION_MS, slotOf } from './asker.ts'
import { allocateBlock, claimBlock } from './blocks.ts'
import { type Fact, poolFact, slotFact } from './facts.ts'
import type { FullPool, Run } from './run.ts'
import type { Holding } from './types.ts'

export function startAsking(run: Run, owner: Key, reads: Set<Fact>, fresh: boolean): Asking {
  const own = holdingsOf(run, owner)
  const asker: Asker = { run, owner, reads, fresh, own, asked: new Map(), allocated: false }
  const pools: Pools = {
    claim: (pool, value) => claim(asker, onePool(run, pool), value),
    pinned: (pool) => ownHoldings(asker, pool).some((h) => h.source !== 'explicit'),
    allocate: (pool, ranges, options) => allocate(asker, onePool(run, pool), ranges, options ?? {}),
    claimBlock: (pool, block) => claimBlock(asker, onePool(run, pool), block),
    allocateBlock: (pool, wish) => allocateBlock(asker, onePool(run, pool), wish),
  }
  return { pools, owner, own, asked: asker.asked }
}

function claim(asker: Asker, pool: string, value: string): Claim {
  const { run, owner, own, asked, reads } = asker
  if (asker.allocated) throw new Error(`${owner} claims ${value} after it allocated`)
  const slot = slotOf(pool, value)
  const held = own.get(slot) ?? run.state.held.get(slot)
  if (held !== undefined && held.owner !== owner && held.source !== 'reserved' && !run.unwritten.has(slot)) {
    reads.add(slotFact(slot))
    return { ok: false, reason: 'taken', holder: held.owner, explicit: held.source === 'explicit' }
  }
  asked.set(slot, { pool, value, owner, source: 'explicit' })
  return { ok: true, value }
}

function allocate(asker: Asker, pool: string, ranges: readonly ValueRange[], options: AllocateOptions): Claim {
  const { owner, asked } = asker
  const value = ownValue(asker, ownHoldings(asker, pool), ranges, options)
  if (!asker.fresh && (value === undefined || asker.own.get(slotOf(pool, value))?.source === 'explicit')) throw DEFERRED
  asker.allocated = true
  const found = value ?? freeValue(asker, pool, ranges, options.label)
  if (found === undefined) {
    asker.reads.add(poolFact(pool))
    return { ok: false, reason: 'full', ...describeFull(asker, pool, ranges) }
  }
  asked.set(slotOf(pool, found), { pool, value: found, owner, source: 'auto' })
  return { ok: true, value: found }
}

function ownValue(asker: Asker, own: readonly Holding[], ranges: readonly ValueRange[], options: AllocateOptions): string | undefined {
  if (own.length === 0) return undefined
  // One value in range needs no comparing with what might stay outside of it.
  const only = own.length === 1 ? pinnedValue(own, ranges, [], 0n) : undefined
  return only ?? pinnedValue(own, ranges, options.keep?.() ?? [], startOf(asker, ranges, options.label))
}

/**
 * What it chose before comes first, then what it chose and gave up, then what was written. Of several the one that `freeValue` comes to first:
 * who asked for two and asks for one again keeps the one that it had at first.
 */
function pinnedValue(
  own: readonly Holding[],
  ranges: readonly ValueRange[],
  keep: readonly ValueRange[],
  start: bigint,
): string | undefined {
  const fits = [...ranges, ...keep]
  const size = sizeOf(ranges)
  let best: { readonly value: string; readonly rank: number; readonly turn: bigint } | undefined
  for (const { value, source } of own) {
    const offset = offsetIn(fits, value)
    if (offset === undefined) continue
    const turn = offset < start ? offset - start + size : offset < size ? offset - start : offset
    const rank = RANK[source]
    if (best === undefined || rank < best.rank || (rank === best.rank && turn < best.turn)) best = { value, rank, turn }
  }
  return best?.value
}

function offsetIn(ranges: readonly ValueRange[], value: string): bigint | undefined {
  let before = 0n
  for (const range of ranges) {
    const n = range.parse(value)
    if (n !== undefined && n >= range.from && n <= range.to) return before + n - range.from
    before += sizeOf([range])
  }
  return undefined
}

/** hash(identity), as an offset into the ranges. */
function startOf({ owner }: Asker, ranges: readonly ValueRange[], label: string | undefined): bigint {
  const size = sizeOf(ranges)
  return size === 0n ? 0n : BigInt(hash48(label === undefined ? owner : `${owner}\0${label}`)) % size
}

/** From hash(identity) upwards, once round the ranges; else the value that is reserved the longest. */
function freeValue(asker: Asker, pool: string, ranges: readonly ValueRange[], label: string | undefined): string | undefined {
  const { run, asked } = asker
  if (run.full.get(pool)?.has(rangesText(ranges))) return undefined
  let longest: { readonly value: string; readonly since: number } | undefined
  for (const value of valuesFrom(ranges, startOf(asker, ranges, label))) {
    const slot = slotOf(pool, value)
    if (asked.has(slot)) continue
    const held = run.state.held.get(slot)
    if (held === undefined) return value
    if (held.source !== 'reserved') continue
    const since = held.releasedAt ?? 0
    if (run.now - since >= RESERVATION_MS) return value
    if (longest === undefined || since < longest.since) longest = { value, since }
  }
  return longest?.value
}

function* valuesFrom(ranges: readonly ValueRange[], start: bigint): Iterable<string> {
  let skip = start
  let at = 0
  while (at < ranges.length - 1 && skip >= sizeOf(ranges.slice(at, at + 1))) {
    skip -= sizeOf(ranges.slice(at, at + 1))
    at++
  }
  const first = ranges[at]
  if (first === undefined) return
  for (let n = first.from + skip; n <= first.to; n++) yield first.format(n)
  for (let i = 1; i < ranges.length; i++) {
    const range = ranges[(at + i) % ranges.length]
    if (range !== undefined) for (let n = range.from; n <= range.to; n++) yield range.format(n)
  }
  for (let n = first.from; n < first.from + skip; n++) yield first.format(n)
}

function sizeOf(ranges: readonly ValueRange[]): bigint {
  return ranges.reduce((sum, r) => sum + (r.to >= r.from ? r.to - r.from + 1n : 0n), 0n)
}

function rangesText(ranges: readonly ValueRange[]): string {
  return ranges.map((r) => `${r.from}-${r.to}`).join(',')
}

/** Counted once per run and pool, not once per resource that finds it full. Whoever asks counts too: what it was just given is not held yet. */
function describeFull({ run, asked }: Asker, pool: string, ranges: readonly ValueRange[]): FullPool {
  const text = rangesText(ranges)
  const known = run.full.get(pool)?.get(text)
  if (known !== undefined) return known
  const holders = new Set<Key>()
  let used = 0
  for (const value of valuesFrom(ranges, 0n)) {
    const slot = slotOf(pool, value)
    const held = asked.get(slot) ?? run.state.held.get(slot)
    if (held === undefined) continue
    used++
    holders.add(held.owner)
  }
  const full = { size: sizeOf(ranges), used, holders: [...holders].sort(compareText) }
  const ofPool = run.full.get(pool) ?? new Map<string, FullPool>()
  run.full.set(pool, ofPool.set(text, full))
  return full
}
