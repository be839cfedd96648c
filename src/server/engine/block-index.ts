import { isBlockPool } from '../../kinds/pools.ts'
import { type Cidr, parseCidr } from '../../lib/cidr.ts'
import type { IpFamily } from '../../lib/ip.ts'
import type { Range } from '../../lib/ranges.ts'
import { slotOf } from './asker.ts'
import type { Run } from './run.ts'
import type { State } from './state.ts'
import type { Allocations, Holding } from './types.ts'

/** A block that somebody holds, or that is reserved. */
export interface HeldBlock {
  readonly slot: string
  readonly cidr: Cidr
}

/** A world that begins with allocations begins with their blocks. */
export function indexBlocks(state: State, allocations: Allocations): void {
  for (const [, { pool, value }] of allocations.held) if (isBlockPool(pool)) state.blocks.set(pool, value, true)
}

/** A block came to be held. */
export function addBlock(run: Run, { pool, value }: Holding): void {
  if (run.state.blocks.get(pool, value) !== undefined) return
  const list = run.blocks.get(pool)
  const block = heldBlock(pool, value)
  list?.splice(indexFrom(list, block.cidr.family, block.cidr.first), 0, block)
  run.state.blocks.set(pool, value, true)
}

/** Nobody holds the block any more, and it is reserved for nobody. */
export function removeBlock(run: Run, { pool, value }: Holding): void {
  const list = run.blocks.get(pool)
  const slot = slotOf(pool, value)
  const at = list?.findIndex((b) => b.slot === slot) ?? -1
  if (at >= 0) list?.splice(at, 1)
  run.searched.delete(pool)
  run.state.blocks.delete(pool, value)
}

/** All blocks of a pool, sorted by address. They never overlap, so their ends are sorted too. */
export function blocksOf(run: Run, pool: string): readonly HeldBlock[] {
  const known = run.blocks.get(pool)
  if (known !== undefined) return known
  const list: HeldBlock[] = []
  for (const [value] of run.state.blocks.inner(pool)) list.push(heldBlock(pool, value))
  list.sort((a, b) => a.cidr.family - b.cidr.family || (a.cidr.first < b.cidr.first ? -1 : 1))
  run.blocks.set(pool, list)
  return list
}

/** Of sorted blocks, the first that does not end before `at`. */
export function indexFrom(blocks: readonly HeldBlock[], family: IpFamily, at: bigint): number {
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >> 1
    const cidr = blocks[middle]?.cidr
    if (cidr !== undefined && (cidr.family < family || (cidr.family === family && cidr.last < at))) low = middle + 1
    else high = middle
  }
  return low
}

/** Of sorted blocks, those that have an address of the range. */
export function blocksWithin(blocks: readonly HeldBlock[], family: IpFamily, { from, to }: Range): readonly HeldBlock[] {
  const found: HeldBlock[] = []
  for (let i = indexFrom(blocks, family, from); i < blocks.length; i++) {
    const block = blocks[i]
    if (block === undefined || block.cidr.family !== family || block.cidr.first > to) break
    found.push(block)
  }
  return found
}

function heldBlock(pool: string, value: string): HeldBlock {
  const parsed = parseCidr(value)
  if (parsed === undefined) throw new Error(`${pool} holds ${value}, which is no block`)
  return { slot: slotOf(pool, value), cidr: parsed.cidr }
}
