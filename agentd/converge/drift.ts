import type { DriftItem, DriftKind } from '../../src/model/status.ts'
import type { Compiled, Delta, Foreign, Item, Observed } from '../backends/backend.ts'

/**
 * The part of a delta that no change of ours explains: the item was proven on the switch with the very text that is still wanted,
 * and now differs. A wish that is new (target or facts changed) is work, not drift.
 */
export function isDrift(key: string, wanted: string, proven: ReadonlyMap<string, Pick<Item, 'text'>>): boolean {
  return wanted === '' ? !proven.has(key) : proven.get(key)?.text === wanted
}

/** Everything that is not ours and is to be told. */
export function foreignOf(compiled: Compiled, observed: Observed): readonly Foreign[] {
  return [...observed.foreign, ...(compiled.outside ?? [])]
}

/** Turns a delta and the foreign things into drift items; `since` of items seen before is kept. */
export function driftItems(
  delta: Delta,
  foreign: readonly Foreign[],
  action: DriftItem['action'],
  seen: ReadonlyMap<string, string>,
  now: string,
): DriftItem[] {
  const item = (kind: DriftKind, key: string, owners: Item['owners'], fields: DriftItem['fields']): DriftItem => ({
    kind,
    where: key,
    owners,
    fields,
    since: seen.get(`${kind} ${key}`) ?? now,
    action: kind === 'foreign' ? 'left alone' : action,
  })
  return [
    ...delta.add.map((i) => item('missing', i.key, i.owners, [{ field: '', want: i.text }])),
    ...delta.change.map((c) => item('altered', c.after.key, c.after.owners, fieldDiff(c.after.text, c.before.text))),
    ...delta.remove.map((i) =>
      i.spoils === undefined
        ? item('stale', i.key, i.owners, [{ field: '', have: i.text }])
        : item('altered', i.key, i.owners, [{ field: '', want: i.spoils.right, have: i.text }]),
    ),
    ...foreign.map((f) => item('foreign', f.where, [], [{ field: '', have: f.text }])),
  ]
}

/** The identity under which `since` is remembered. */
export function driftIdentity(item: DriftItem): string {
  return `${item.kind} ${item.where}`
}

/** Field by field where the text has one `field=value` per line (rows); whole otherwise (flows). */
export function fieldDiff(want: string, have: string): DriftItem['fields'] {
  if (!want.includes('\n') && !have.includes('\n')) return [{ field: '', want, have }]
  const wanted = fields(want)
  const found = fields(have)
  const out: { field: string; want?: string; have?: string }[] = []
  for (const name of [...new Set([...wanted.keys(), ...found.keys()])].sort()) {
    const w = wanted.get(name)
    const h = found.get(name)
    if (w !== h) out.push({ field: name, ...(w === undefined ? {} : { want: w }), ...(h === undefined ? {} : { have: h }) })
  }
  return out
}

function fields(text: string): Map<string, string> {
  const out = new Map<string, string>()
  for (const line of text.split('\n')) {
    const cut = line.indexOf('=')
    if (cut > 0) out.set(line.slice(0, cut), line.slice(cut + 1))
  }
  return out
}
