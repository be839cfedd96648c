import type { Pools } from '../../kinds/kind.ts'
import { flat } from '../../lib/text-flat.ts'
import type { Key } from '../../model/key.ts'
import type { Fact } from './facts.ts'
import type { Run } from './run.ts'
import type { Holding } from './types.ts'

/** A deleted resource's values stay its own for 30 days (DESIGN 4.1). */
export const RESERVATION_MS: number = 30 * 24 * 60 * 60 * 1000

/** Thrown by `allocate` through a kind's function, caught by the engine: everybody's claims come before anybody's fresh choice. */
export const DEFERRED: unique symbol = Symbol('deferred')

/** What one resource asked for in one run of its `resolve`; nothing of it holds before `settle`. */
export interface Asking {
  readonly pools: Pools
  readonly owner: Key
  /** What the owner holds when it begins to ask, by slot. */
  readonly own: ReadonlyMap<string, Holding>
  /** Slot → what it is to hold. */
  readonly asked: ReadonlyMap<string, Holding>
}

/** One who asks: what `Pools` needs to answer. */
export interface Asker {
  readonly run: Run
  readonly owner: Key
  readonly reads: Set<Fact>
  /** False while claims are still being collected: a value that is not pinned then puts the resource off. */
  readonly fresh: boolean
  readonly own: ReadonlyMap<string, Holding>
  readonly asked: Map<string, Holding>
  allocated: boolean
}

export function slotOf(pool: string, value: string): string {
  return flat(pool, '|', value)
}

/** Every holding of a pool shares its name. */
export function onePool(run: Run, pool: string): string {
  const known = run.facts.get(pool)
  if (known !== undefined) return known
  run.facts.set(pool, pool)
  return pool
}

const NONE: ReadonlyMap<string, Holding> = new Map()

export function holdingsOf(run: Run, owner: Key): ReadonlyMap<string, Holding> {
  const slots = run.state.byOwner.get(owner)
  if (slots === undefined) return NONE
  const own = new Map<string, Holding>()
  for (const slot of slots) {
    const held = run.state.held.get(slot)
    if (held?.owner === owner) own.set(slot, held)
  }
  return own
}

/** The owner's values in a pool that it has not asked for yet. */
export function ownHoldings({ own, asked }: Asker, pool: string): readonly Holding[] {
  const found: Holding[] = []
  for (const [slot, held] of own) if (held.pool === pool && !asked.has(slot)) found.push(held)
  return found
}

/** What a resource chose before comes first, then what it chose and gave up, then what was written. */
export const RANK: Readonly<Record<Holding['source'], number>> = { auto: 0, reserved: 1, explicit: 2 }
