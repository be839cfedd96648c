import { keyedDiff } from '../../src/lib/keyed-diff.ts'
import type { Delta, Item } from '../backends/backend.ts'

/*
 * Desired, actual, pending: what should be, what the switch holds, and what is still to do. No I/O, no clock of its own.
 * A failed write just stays pending; its pause keeps one bad item from being tried at every turn.
 */

export interface Failure {
  readonly attempts: number
  readonly cause: string
  /** Milliseconds since the epoch. */
  readonly retryAt: number
  /** Desired text (`''` = removal) that failed: a new desired text is tried at once. */
  readonly text: string
}

/** The whole difference between what is wanted and what is there. What spoils a wanted item is owned by those who want it. */
export function wholeDelta(desired: ReadonlyMap<string, Item>, actual: ReadonlyMap<string, Item>): Delta {
  const diff = keyedDiff(actual, desired, (a, b) => a.text === b.text)
  return {
    add: diff.added.map((d) => d.after),
    change: diff.changed.map(({ before, after }) => ({ before, after })),
    remove: diff.removed.map(({ before }) =>
      before.spoils === undefined ? before : { ...before, owners: desired.get(before.spoils.key)?.owners ?? [] },
    ),
  }
}

export function isEmptyDelta(delta: Delta): boolean {
  return delta.add.length + delta.change.length + delta.remove.length === 0
}

/** Splits a delta by key: items for which `take` holds, and the rest. */
export function splitDelta(delta: Delta, take: (key: string) => boolean): { readonly taken: Delta; readonly left: Delta } {
  const taken: Delta = {
    add: delta.add.filter((i) => take(i.key)),
    change: delta.change.filter((c) => take(c.after.key)),
    remove: delta.remove.filter((i) => take(i.key)),
  }
  const left: Delta = {
    add: delta.add.filter((i) => !take(i.key)),
    change: delta.change.filter((c) => !take(c.after.key)),
    remove: delta.remove.filter((i) => !take(i.key)),
  }
  return { taken, left }
}

/** Every key a delta touches, with the text that is wanted for it (`''` = gone). */
export function wantedTexts(delta: Delta): Map<string, string> {
  const out = new Map<string, string>()
  for (const i of delta.add) out.set(i.key, i.text)
  for (const c of delta.change) out.set(c.after.key, c.after.text)
  for (const i of delta.remove) out.set(i.key, '')
  return out
}

/** True when the item failed with just this wish and its pause is not over. */
export function isPaused(failures: ReadonlyMap<string, Failure>, key: string, wanted: string, now: number): boolean {
  const failure = failures.get(key)
  return failure !== undefined && failure.text === wanted && failure.retryAt > now
}

/** What could not be read, as failures with the reason: they last as long as it does, and are never carried over. */
export function unreadFailures(unread: Delta, cause: string): Map<string, Failure> {
  return new Map([...wantedTexts(unread)].map(([key, text]): [string, Failure] => [key, { attempts: 0, cause, retryAt: 0, text }]))
}

/** What was seen on the switch as it is wanted: all of it, but what is still to do. An item that drifted keeps its proof: it stays drift until it is put back. */
export function provenAfter(
  items: ReadonlyMap<string, Item>,
  pending: Delta,
  before: ReadonlyMap<string, Pick<Item, 'text'>>,
): ReadonlyMap<string, Pick<Item, 'text'>> {
  if (isEmptyDelta(pending)) return items
  const proven = new Map<string, Pick<Item, 'text'>>(items)
  for (const { key, text } of [...pending.add, ...pending.change.map((c) => c.after)])
    if (before.get(key)?.text !== text) proven.delete(key)
  for (const { key } of pending.remove) {
    const known = before.get(key)
    if (known !== undefined) proven.set(key, known)
  }
  return proven
}
