import { displayKey } from '../../model/key.ts'
import type { Holds } from '../../wire/messages.ts'
import { slotOf } from '../engine/asker.ts'
import type { World } from '../engine/types.ts'
import { type Claim, claimsOf } from './claims.ts'
import type { SubnetIndex } from './subnets.ts'

/**
 * What a host would lose by following a world that does not know its past: values that it holds and that Netloom chose anew, `port web-1: 10.0.0.7 → 10.0.0.9`, sorted.
 * Values that somebody wrote, and resources that are no longer declared, are wishes, no contradictions.
 */
export function contradictions(holds: Holds, world: World, subnets: SubnetIndex): readonly string[] {
  const found: string[] = []
  for (const claims of claimsOf(holds, subnets).values()) {
    const told = new Set(claims.map((c) => slotOf(c.pool, c.value)))
    for (const claim of claims) {
      const other = isKept(claim, world) ? undefined : chosenInstead(claim, told, world)
      if (other !== undefined) found.push(`${displayKey(claim.owner)}: ${claim.value} → ${other}`)
    }
  }
  return found.sort()
}

function isKept({ pool, value, owner }: Claim, world: World): boolean {
  const held = world.allocations.held.get(slotOf(pool, value))
  return held?.owner === owner && held.source !== 'reserved'
}

/** What the owner was given in the same pool, beyond what it is known to have. */
function chosenInstead({ pool, owner }: Claim, told: ReadonlySet<string>, world: World): string | undefined {
  for (const slot of world.allocations.byOwner.get(owner) ?? []) {
    const held = world.allocations.held.get(slot)
    if (held?.pool === pool && held.source === 'auto' && !told.has(slot)) return held.value
  }
  return undefined
}
