import type { Key } from '../../src/model/key.ts'
import type { ObjectStatus } from '../../src/model/status.ts'

/** What holds while numbers cannot be saved: nothing is written with them, so all stays as it was, and the host says why it does not move. */
export function unsavedStatuses(
  statuses: ReadonlyMap<Key, ObjectStatus>,
  host: Key,
  { cause, now }: { readonly cause: string; readonly now: string },
): ReadonlyMap<Key, ObjectStatus> {
  const before = statuses.get(host)
  if (before?.state === 'ERROR' && before.cause === cause) return statuses
  return new Map(statuses).set(host, { key: host, state: 'ERROR', cause, attempts: 1, since: now })
}
