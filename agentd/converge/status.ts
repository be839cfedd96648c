import type { Key } from '../../src/model/key.ts'
import type { ObjectStatus } from '../../src/model/status.ts'
import type { Compiled, Delta, Item } from '../backends/backend.ts'
import type { Failure } from './tracker.ts'

/**
 * The state of every subject, computed from observations each time and never latched from an event: a lost message cannot leave a port
 * DOWN for ever. `pending` is what is still to be written after the last apply.
 */
export function objectStatuses(
  compiled: Compiled,
  pending: Delta,
  failures: ReadonlyMap<string, Failure>,
  previous: ReadonlyMap<Key, ObjectStatus>,
  now: string,
): Map<Key, ObjectStatus> {
  const failing = new Map<Key, Failure>()
  const building = new Set<Key>()
  const note = (item: Item): void => {
    const failure = failures.get(item.key)
    for (const owner of item.owners) {
      building.add(owner)
      if (failure !== undefined && !failing.has(owner)) failing.set(owner, failure)
    }
  }
  for (const item of pending.add) note(item)
  for (const change of pending.change) note(change.after)
  for (const item of pending.remove) if (item.spoils !== undefined) note(item)

  const out = new Map<Key, ObjectStatus>()
  for (const key of compiled.subjects) {
    const verdict = compiled.verdicts.get(key)
    const failure = failing.get(key)
    const next =
      failure !== undefined
        ? // What was tried and refused comes before its consequence (no namespace, therefore no device).
          { state: 'ERROR' as const, cause: failure.cause, attempts: failure.attempts }
        : verdict?.state === 'ERROR'
          ? { state: 'ERROR' as const, cause: verdict.cause, attempts: 0 }
          : verdict !== undefined
            ? { state: verdict.state, cause: verdict.cause, attempts: 0 }
            : { state: building.has(key) ? ('BUILD' as const) : ('ACTIVE' as const), attempts: 0 }
    const before = previous.get(key)
    const same = before !== undefined && before.state === next.state
    out.set(
      key,
      same && before.cause === next.cause && before.attempts === next.attempts
        ? before
        : { key, ...next, since: same ? before.since : now },
    )
  }
  return out
}
