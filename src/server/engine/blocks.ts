import type { BlockClaim, BlockWish, FullOfBlocks } from '../../kinds/kind.ts'
import { alignUp, blockSize, searchOrder, widestPrefix } from '../../lib/blocks.ts'
import { type Cidr, cidrCovers, cidrOf, cidrSize, formatCidr, parseCidr } from '../../lib/cidr.ts'
import { hash48 } from '../../lib/digest.ts'
import type { IpFamily } from '../../lib/ip.ts'
import { intersectRanges, type Range, rangesSize } from '../../lib/ranges.ts'
import { compareText, type Key, keyParts } from '../../model/key.ts'
import { type Asker, DEFERRED, ownHoldings, RANK, RESERVATION_MS, slotOf } from './asker.ts'
import { blocksOf, blocksWithin, type HeldBlock, indexFrom } from './block-index.ts'
import { poolFact } from './facts.ts'
import type { Run } from './run.ts'
import type { Holding } from './types.ts'

/** `Pools.claimBlock`. Who is refused reads the whole pool: another block may come to be the one in the way. */
export function claimBlock(asker: Asker, pool: string, block: Cidr): BlockClaim {
  const { run, owner, reads } = asker
  if (asker.allocated) throw new Error(`${owner} claims ${formatCidr(block)} after it allocated`)
  for (const { slot } of blocksWithin(blocksOf(run, pool), block.family, rangeOf(block))) {
    const held = run.state.held.get(slot)
    if (held === undefined || held.owner === owner || held.source === 'reserved') continue
    reads.add(poolFact(pool))
    return { ok: false, reason: 'taken', holder: held.owner, explicit: held.source === 'explicit', value: held.value }
  }
  return ask(asker, pool, block, 'explicit')
}

/** `Pools.allocateBlock`. */
export function allocateBlock(asker: Asker, pool: string, wish: BlockWish): BlockClaim {
  const own = ownBlock(ownHoldings(asker, pool), wish)
  if (own === undefined && !asker.fresh) throw DEFERRED
  asker.allocated = true
  const blocks = blocksOf(asker.run, pool)
  const found = own ?? freeBlock(asker, pool, wish) ?? reclaimedBlock(asker, blocks, wish)
  if (found !== undefined) return ask(asker, pool, found, 'auto')
  asker.reads.add(poolFact(pool))
  return describeFull(asker, blocks, wish)
}

function ask({ asked, owner }: Asker, pool: string, block: Cidr, source: 'explicit' | 'auto'): BlockClaim {
  for (const other of asked.values()) if (other.pool === pool) throw new Error(`${owner} asks for two blocks of ${pool}`)
  const value = formatCidr(block)
  asked.set(slotOf(pool, value), { pool, value, owner, source })
  return { ok: true, value }
}

function rangeOf({ first, last }: Cidr): Range {
  return { from: first, to: last }
}

/**
 * As with values, save that what it chose and still has stays wherever it is. Blocks of the right length come first, those given up included: who goes back to what was written before goes back to the same block.
 */
function ownBlock(own: readonly Holding[], { from, prefix, anyLength }: BlockWish): Cidr | undefined {
  const fitting = own.flatMap(({ value, source }) => {
    const cidr = parseCidr(value)?.cidr
    if (cidr === undefined || (source !== 'auto' && !from.some((c) => cidrCovers(c, cidr)))) return []
    const exact = cidr.prefix === prefix
    if (!exact && (anyLength !== true || source === 'reserved')) return []
    return [{ cidr, rank: RANK[source] + (exact ? 0 : OTHER_LENGTH) }]
  })
  fitting.sort((a, b) => a.rank - b.rank || (a.cidr.first < b.cidr.first ? -1 : 1))
  return fitting[0]?.cidr
}

/** Behind all ranks. */
const OTHER_LENGTH = 10

/** What is reserved for the owner itself, or still its own with another length, is not free: going back gives it again. */
function freeBlock(asker: Asker, pool: string, { from, prefix }: BlockWish): Cidr | undefined {
  const family = from[0]?.family
  if (family === undefined) return undefined
  const size = blockSize(family, prefix)
  const searched = searchedOf(asker.run, pool)
  const where = { near: hash48(keyParts(asker.owner).project), start: hash48(asker.owner) }
  for (const range of searchOrder(from, prefix, where)) {
    const id = `${family} ${prefix} ${range.from}`
    const value = firstFree(asker, blocksOf(asker.run, pool), { family, size, at: searched.get(id) ?? range.from, to: range.to })
    searched.set(id, value)
    if (value + size - 1n <= range.to) return cidrOf({ family, value }, prefix)
  }
  return undefined
}

/** Up to where stretches of the pool were found full; it holds until a block goes. */
function searchedOf(run: Run, pool: string): Map<string, bigint> {
  const known = run.searched.get(pool)
  if (known !== undefined) return known
  const searched = new Map<string, bigint>()
  run.searched.set(pool, searched)
  return searched
}

/** The first place from `at` on where nothing is held; behind `to` when there is none. */
function firstFree(
  asker: Asker,
  blocks: readonly HeldBlock[],
  { family, size, at: begin, to }: { readonly family: IpFamily; readonly size: bigint; readonly at: bigint; readonly to: bigint },
): bigint {
  let at = begin
  for (let i = indexFrom(blocks, family, at); at <= to; i++) {
    const block = blocks[i]
    if (block === undefined || block.cidr.family !== family || block.cidr.first >= at + size) break
    if (!isLapsed(asker, block)) at = alignUp(block.cidr.last + 1n, size)
  }
  return at
}

function isLapsed({ run }: Asker, { slot }: HeldBlock): boolean {
  const held = run.state.held.get(slot)
  return held?.source === 'reserved' && run.now - (held.releasedAt ?? 0) >= RESERVATION_MS
}

/** When everything in use is left alone: the block whose reservations are the oldest, the lowest of equals. */
function reclaimedBlock(asker: Asker, blocks: readonly HeldBlock[], { from, prefix }: BlockWish): Cidr | undefined {
  let best: { readonly cidr: Cidr; readonly since: number } | undefined
  for (const outer of from) {
    if (outer.prefix > prefix) continue
    for (const { cidr: held } of blocksWithin(blocks, outer.family, rangeOf(outer))) {
      const { from: value } = intersectRanges(rangeOf(held), rangeOf(outer))
      const cidr = cidrOf({ family: outer.family, value }, prefix)
      const since = releasedSince(asker, blocksWithin(blocks, outer.family, rangeOf(cidr)))
      if (since !== undefined && (best === undefined || since < best.since)) best = { cidr, since }
    }
  }
  return best?.cidr
}

/** When the last of these was given up; undefined while one is in use. What the owner gives up by asking counts as given up now. */
function releasedSince({ run, owner }: Asker, blocks: readonly HeldBlock[]): number | undefined {
  let latest = 0
  for (const { slot } of blocks) {
    const held = run.state.held.get(slot)
    if (held?.source !== 'reserved' && held?.owner !== owner) return undefined
    latest = Math.max(latest, held.releasedAt ?? run.now)
  }
  return latest
}

function describeFull({ run, owner }: Asker, blocks: readonly HeldBlock[], { from }: BlockWish): FullOfBlocks {
  const holders = new Set<Key>()
  let used = 0n
  let largest: number | undefined
  for (const outer of from) {
    let free = outer.first
    const note = (to: bigint): void => {
      const widest = widestPrefix(outer.family, { from: free, to })
      if (widest !== undefined && (largest === undefined || widest < largest)) largest = widest
    }
    for (const { slot, cidr } of blocksWithin(blocks, outer.family, rangeOf(outer))) {
      const held = run.state.held.get(slot)
      if (held === undefined || held.source === 'reserved' || held.owner === owner) continue
      holders.add(held.owner)
      const inside = intersectRanges(rangeOf(cidr), rangeOf(outer))
      used += rangesSize([inside])
      note(inside.from - 1n)
      free = inside.to + 1n
    }
    note(outer.last)
  }
  const size = from.reduce((sum, c) => sum + cidrSize(c), 0n)
  const found = { ok: false, reason: 'full', size, used, holders: [...holders].sort(compareText) } as const
  return largest === undefined ? found : { ...found, largest }
}
