import { groupBy } from '../../lib/group-by.ts'
import { canonicalJson } from '../../lib/json.ts'
import { keyParts } from '../../model/key.ts'
import type { Change } from '../plan/types.ts'

/** Changes alike, of which only the first few are shown in full. */
export interface Group {
  readonly shown: readonly Change[]
  /** The rest, named but not spelt out. */
  readonly rest: readonly Change[]
}

/** More than this many alike are grouped; so many of them are shown. */
const ALIKE = 5
const SHOWN = 2

/**
 * Gathers creations of one kind with the same attributes, and updates that do the very same thing, in the order of the plan. Deletions and
 * re-creations are never hidden in a group.
 */
export function groupChanges(changes: readonly Change[], verbose: boolean): readonly Group[] {
  return [...groupBy(changes, likeness).values()].map((group) =>
    verbose || group.length <= ALIKE ? { shown: group, rest: [] } : { shown: group.slice(0, SHOWN), rest: group.slice(SHOWN) },
  )
}

function likeness(change: Change): string {
  const { kind } = keyParts(change.key)
  if (change.action === 'create') return `create ${kind} ${change.reason}`
  if (change.action === 'update') return `update ${kind} ${change.reason} ${canonicalJson(change.attributes)}`
  return `${change.action} ${change.key}`
}
