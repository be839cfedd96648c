import { sameJson } from '../../src/lib/json.ts'
import type { JsonObject } from '../../src/model/brand.ts'
import type { Key } from '../../src/model/key.ts'
import type { DriftItem, ObjectStatus } from '../../src/model/status.ts'
import type { Report } from '../../src/wire/messages.ts'

/** What the agent knows at this moment. `statuses` keeps the identity of entries that did not change. */
export interface Snapshot {
  readonly revision: number
  readonly digest: string
  readonly converged: boolean
  readonly statuses: ReadonlyMap<Key, ObjectStatus>
  readonly drift: readonly DriftItem[]
  readonly facts: JsonObject
  readonly allocations: JsonObject
  readonly timings: Readonly<Record<string, number>>
}

/** What the server has acknowledged; undefined members: nothing yet. */
export interface Book {
  readonly statuses: ReadonlyMap<Key, ObjectStatus> | undefined
  readonly drift: readonly DriftItem[] | undefined
  readonly facts: JsonObject | undefined
  readonly allocations: JsonObject | undefined
}

export type ReportBody = Pick<
  Report,
  'revision' | 'digest' | 'converged' | 'full' | 'objects' | 'gone' | 'drift' | 'facts' | 'allocations' | 'timings'
>

export interface Page {
  readonly body: ReportBody
  /** The book once this page is acknowledged. */
  readonly after: Book
  /** More pages follow; `converged` is said on the last one only. */
  readonly more: boolean
}

/** Objects in one report, and drift items; keeps a report below a megabyte. */
export const PAGE = 1000

export const BLANK_BOOK: Book = { statuses: undefined, drift: undefined, facts: undefined, allocations: undefined }

/** The next report: what changed since the book, everything when the book is blank. Building it again after a lost reply is harmless. */
export function nextPage(book: Book, now: Snapshot): Page {
  const acked = book.statuses ?? new Map<Key, ObjectStatus>()
  const changed: ObjectStatus[] = []
  for (const [key, status] of now.statuses) {
    const old = acked.get(key)
    if (old !== status && !sameJson(old, status)) changed.push(status)
    if (changed.length > PAGE) break
  }
  const gone: Key[] = []
  for (const key of acked.keys()) {
    if (!now.statuses.has(key)) gone.push(key)
    if (gone.length > PAGE) break
  }
  const more = changed.length > PAGE || gone.length > PAGE
  const objects = changed.slice(0, PAGE)
  const left = gone.slice(0, PAGE)
  const drift = bounded(now.drift)
  const body: ReportBody = {
    revision: now.revision,
    digest: now.digest,
    converged: now.converged && !more,
    full: book.statuses === undefined,
    objects,
    gone: left,
    ...(sameJson(book.drift, drift) ? {} : { drift }),
    ...(sameJson(book.facts, now.facts) ? {} : { facts: now.facts }),
    ...(sameJson(book.allocations, now.allocations) ? {} : { allocations: now.allocations }),
    timings: now.timings,
  }
  const statuses = objects.length + left.length === 0 && book.statuses !== undefined ? book.statuses : booked(acked, objects, left)
  return { body, after: { statuses, drift, facts: now.facts, allocations: now.allocations }, more }
}

function booked(acked: ReadonlyMap<Key, ObjectStatus>, objects: readonly ObjectStatus[], gone: readonly Key[]): Map<Key, ObjectStatus> {
  const next = new Map(acked)
  for (const status of objects) next.set(status.key, status)
  for (const key of gone) next.delete(key)
  return next
}

/** A switch that lost everything has as many drift items as flows: beyond a page the last item says how many more there are. */
function bounded(drift: readonly DriftItem[]): readonly DriftItem[] {
  const last = drift[PAGE - 1]
  if (drift.length <= PAGE || last === undefined) return drift
  const rest = drift.length - (PAGE - 1)
  return [...drift.slice(0, PAGE - 1), { ...last, where: `and ${rest} more, like ${last.where}`, owners: [], fields: [] }]
}
