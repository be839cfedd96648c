import { isBlockPool, isUniquePool } from '../../kinds/pools.ts'
import { parseCidr } from '../../lib/cidr.ts'
import { compareText, type Key } from '../../model/key.ts'
import type { Asking } from './asker.ts'
import { addBlock, blocksOf, blocksWithin, removeBlock } from './block-index.ts'
import { poolFact, slotFact } from './facts.ts'
import { type Run, wake } from './run.ts'
import type { Holding } from './types.ts'

/** Gives the owner what it asked for. With `release`, it gives up everything else; without (it was put off), that stays. */
export function settle(run: Run, { owner, own, asked }: Asking, release: boolean): void {
  const { held, byOwner } = run.state
  const before = byOwner.get(owner) ?? []
  for (const [slot, holding] of asked) {
    const old = own.get(slot) ?? held.get(slot)
    if (old?.owner === owner && old.source === holding.source) continue
    if (old !== undefined && old.owner !== owner) dropSlot(run, old.owner, slot)
    if (isBlockPool(holding.pool)) takeBlock(run, slot, holding)
    held.set(slot, holding)
    run.unwritten.delete(slot)
    changed(run, slot, holding.pool, false)
  }
  if (before.length === asked.size && before.every((slot) => asked.has(slot))) return
  const after = new Set(asked.keys())
  for (const slot of before) {
    if (after.has(slot) || !held.has(slot)) continue
    if (!release || giveUp(run, slot)) after.add(slot)
  }
  writeSlots(run, owner, before, after)
}

/** The owner chooses after everybody's claims: what it had written and claims no more is there for who writes it now. */
export function offerUnwritten(run: Run, owner: Key, claimed?: Asking['asked']): void {
  for (const slot of run.state.byOwner.get(owner) ?? []) {
    const held = run.state.held.get(slot)
    if (held?.owner !== owner || held.source !== 'explicit' || claimed?.has(slot) === true || run.unwritten.has(slot)) continue
    run.unwritten.add(slot)
    wake(run, slotFact(slot))
  }
}

/** Blocks in the way are reserved, or the owner's own and given up by asking (the asker saw to that): they go. */
function takeBlock(run: Run, slot: string, holding: Holding): void {
  const cidr = parseCidr(holding.value)?.cidr
  if (cidr === undefined) throw new Error(`${holding.owner} asks for ${holding.value}, which is no block`)
  for (const other of blocksWithin(blocksOf(run, holding.pool), cidr.family, { from: cidr.first, to: cidr.last })) {
    const old = other.slot === slot ? undefined : run.state.held.get(other.slot)
    if (old === undefined) continue
    if (old.owner !== holding.owner) dropSlot(run, old.owner, other.slot)
    drop(run, other.slot, old)
    changed(run, other.slot, old.pool, true)
  }
  addBlock(run, holding)
}

function drop(run: Run, slot: string, holding: Holding): void {
  run.state.held.delete(slot)
  if (isBlockPool(holding.pool)) removeBlock(run, holding)
}

/** The owner is gone: chosen values stay reserved for it, written ones are free. */
export function releaseAll(run: Run, owner: Key): void {
  const before = run.state.byOwner.get(owner) ?? []
  writeSlots(run, owner, before, new Set(before.filter((slot) => giveUp(run, slot))))
}

/** True when the value stays with the owner as a reservation. */
function giveUp(run: Run, slot: string): boolean {
  const { held } = run.state
  const old = held.get(slot)
  if (old === undefined) return false
  if (old.source === 'reserved') return true
  const reserve = old.source === 'auto' && !isUniquePool(old.pool)
  if (reserve) held.set(slot, { pool: old.pool, value: old.value, owner: old.owner, source: 'reserved', releasedAt: run.now })
  else drop(run, slot, old)
  changed(run, slot, old.pool, true)
  return reserve
}

/** Somebody else took a reserved value. */
function dropSlot(run: Run, owner: Key, slot: string): void {
  const before = run.state.byOwner.get(owner) ?? []
  writeSlots(run, owner, before, new Set(before.filter((s) => s !== slot)))
}

function writeSlots(run: Run, owner: Key, before: readonly string[], after: ReadonlySet<string>): void {
  if (before.length === after.size && before.every((slot) => after.has(slot))) return
  if (after.size === 0) run.state.byOwner.delete(owner)
  else run.state.byOwner.set(owner, [...after].sort(compareText))
}

/** Who found no room among blocks tells how much is in use by whom, and looks again at every change. */
function changed(run: Run, slot: string, pool: string, room: boolean): void {
  run.slots.add(slot)
  wake(run, slotFact(slot))
  if (!room && !isBlockPool(pool)) return
  run.full.delete(pool)
  wake(run, poolFact(pool))
}
