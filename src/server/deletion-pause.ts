import type { Key } from '../model/key.ts'

/**
 * How long deletions have waited already. A port moved between two files is two saves, so a resource that is gone gets `delete_settle` to appear again. Only
 * saves that take something more away begin that anew, and all of it together lasts no longer than `MOST_PAUSES` times as long: what else the plan does
 * waits with it.
 */
export interface DeletionPause {
  /** When each resource that the plan deletes was first missing, on a clock that never goes back. */
  readonly goneAt: ReadonlyMap<Key, number>
  /** Milliseconds spent waiting since the plan was last carried out. */
  readonly waited: number
  /** When that was last added up; absent while nothing waits (a broken repo, a guard that refuses). */
  readonly at?: number
}

export const NO_PAUSE: DeletionPause = { goneAt: new Map(), waited: 0 }

/** Waits of one after the other, at most. */
export const MOST_PAUSES = 5

/** A plan that could be carried out `at` this moment and deletes `gone`. `left`: milliseconds it has to wait; 0: now. */
export function pauseDeletions(
  before: DeletionPause,
  gone: readonly Key[],
  at: number,
  settleMs: number,
): { readonly pause: DeletionPause; readonly left: number } {
  if (gone.length === 0) return { pause: NO_PAUSE, left: 0 }
  const goneAt = new Map(gone.map((key) => [key, before.goneAt.get(key) ?? at]))
  const waited = before.waited + (before.at === undefined ? 0 : at - before.at)
  const youngest = Math.max(...goneAt.values())
  const left = Math.min(youngest + settleMs - at, MOST_PAUSES * settleMs - waited)
  return { pause: { goneAt, waited, at }, left: Math.max(0, left) }
}

/** The plan cannot be carried out for another reason: that time does not count, and what is missing after it is missed anew. */
export function suspend(before: DeletionPause, at: number): DeletionPause {
  return { goneAt: new Map(), waited: before.waited + (before.at === undefined ? 0 : at - before.at) }
}
