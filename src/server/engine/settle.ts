import { isUniquePool } from '../../kinds/pools.ts'
import { compareText, type Key } from '../../model/key.ts'
import { poolFact, slotFact } from './facts.ts'
import type { Asking } from './pools.ts'
import { type Run, wake } from './run.ts'

/** Gives the owner what it asked for. With `release`, it gives up everything else; without (it was put off), that stays. */
export function settle(run: Run, { owner, own, asked }: Asking, release: boolean): void {
  const { held, byOwner } = run.state
  const before = byOwner.get(owner) ?? []
  for (const [slot, holding] of asked) {
    const old = own.get(slot) ?? held.get(slot)
    if (old?.owner === owner && old.source === holding.source) continue
    if (old !== undefined && old.owner !== owner) dropSlot(run, old.owner, slot)
    held.set(slot, holding)
    changed(run, slot, holding.pool, false)
  }
  if (before.length === asked.size && before.every((slot) => asked.has(slot))) return
  const after = new Set(asked.keys())
  for (const slot of before) {
    if (after.has(slot)) continue
    if (!release || giveUp(run, slot)) after.add(slot)
  }
  writeSlots(run, owner, before, after)
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
  else held.delete(slot)
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

function changed(run: Run, slot: string, pool: string, room: boolean): void {
  run.slots.add(slot)
  wake(run, slotFact(slot))
  if (!room) return
  run.full.delete(pool)
  wake(run, poolFact(pool))
}
