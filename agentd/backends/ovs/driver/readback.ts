import type { Delta, Item } from '../../backend.ts'

/** Compares what was written with what is there now. What differs is added to `failed`, with both texts; the others are verified. */
export function readBack(
  delta: Delta,
  have: (key: string) => Item | undefined,
  failed: Map<string, string>,
  deferred: ReadonlySet<string>,
): Set<string> {
  const verified = new Set<string>()
  for (const item of [...delta.add, ...delta.change.map((c) => c.after)]) {
    if (failed.has(item.key) || deferred.has(item.key)) continue
    const now = have(item.key)
    if (now?.text === item.text) verified.add(item.key)
    else failed.set(item.key, now === undefined ? 'was written and is not there' : `was written and reads back as ${now.text}`)
  }
  for (const item of delta.remove) {
    if (failed.has(item.key) || deferred.has(item.key)) continue
    if (have(item.key) === undefined) verified.add(item.key)
    else failed.set(item.key, 'was removed and is still there')
  }
  return verified
}
