import type { Key } from '../../model/key.ts'
import type { Allocations, Step, World } from '../engine/types.ts'
import type { AttributeChange, Plan } from './types.ts'

/**
 * Marks the attributes whose new value Netloom chose. A holding's pool begins with a word (`ip:…`, `mac:…`, `segment:…`), and the attribute
 * that shows its value has a word that begins so (`ip_address`, `mac_address`, `segmentation_id`): an MTU of 1450 is not a VNI of 1450.
 */
export function markAllocated(changes: readonly AttributeChange[], owner: Key, allocations: Allocations): readonly AttributeChange[] {
  const chosen = chosenValues(owner, allocations)
  if (chosen.size === 0) return changes
  return changes.map((change) => (isChosen(change, chosen) ? { ...change, allocated: true } : change))
}

/** Value → first words of the pools it was chosen from. */
function chosenValues(owner: Key, allocations: Allocations): ReadonlyMap<string, readonly string[]> {
  const chosen = new Map<string, readonly string[]>()
  for (const id of allocations.byOwner.get(owner) ?? []) {
    const holding = allocations.held.get(id)
    if (holding?.source !== 'auto') continue
    const word = holding.pool.slice(0, Math.max(0, holding.pool.indexOf(':')))
    chosen.set(holding.value, [...(chosen.get(holding.value) ?? []), word])
  }
  return chosen
}

function isChosen({ path, after }: AttributeChange, chosen: ReadonlyMap<string, readonly string[]>): boolean {
  if (typeof after !== 'string' && typeof after !== 'number') return false
  const pools = chosen.get(String(after))
  if (pools === undefined) return false
  const words = path.slice(path.lastIndexOf('.') + 1).split('_')
  return pools.some((pool) => words.some((word) => word.startsWith(pool)))
}

/** The rows to write and to remove so that what is held after the step is what is stored. Sorted. */
export function allocationRows(base: World, step: Step): Plan['allocations'] {
  const set = []
  const del = []
  for (const id of [...step.touchedSlots].sort()) {
    const before = base.allocations.held.get(id)
    const after = step.world.allocations.held.get(id)
    if (after === undefined) {
      if (before !== undefined) del.push(id)
    } else if (
      before === undefined ||
      before.owner !== after.owner ||
      before.source !== after.source ||
      before.releasedAt !== after.releasedAt
    ) {
      set.push(after)
    }
  }
  return { set, del }
}
