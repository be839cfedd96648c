import { sameJson } from '../../src/lib/json.ts'
import type { JsonObject } from '../../src/model/brand.ts'
import type { Key } from '../../src/model/key.ts'
import type { Dataplane, DriftItem, ObjectStatus } from '../../src/model/status.ts'
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
  /** Absent: the switch was not asked yet. */
  readonly dataplane?: Dataplane
}

/** What the server has acknowledged; undefined members: nothing yet. */
export interface Book {
  readonly statuses: ReadonlyMap<Key, ObjectStatus> | undefined
  /** Told, but the reply was lost: the server may or may not have it, so it is told again whatever it is by then. */
  readonly unsure: ReadonlySet<Key>
  readonly drift: readonly DriftItem[] | undefined
  readonly facts: JsonObject | undefined
  readonly allocations: JsonObject | undefined
  readonly dataplane: Dataplane | undefined
}

export type ReportBody = Pick<
  Report,
  'revision' | 'digest' | 'converged' | 'full' | 'objects' | 'gone' | 'drift' | 'facts' | 'allocations' | 'timings' | 'dataplane'
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

export const BLANK_BOOK: Book = {
  statuses: undefined,
  unsure: new Set(),
  drift: undefined,
  facts: undefined,
  allocations: undefined,
  dataplane: undefined,
}

/** The next report: what changed since the book, everything when the book is blank. */
export function nextPage(book: Book, now: Snapshot): Page {
  const acked = book.statuses ?? new Map<Key, ObjectStatus>()
  const changed: ObjectStatus[] = []
  for (const [key, status] of now.statuses) {
    const old = acked.get(key)
    if (book.unsure.has(key) || (old !== status && !sameJson(old, status))) changed.push(status)
    if (changed.length > PAGE) break
  }
  const gone: Key[] = []
  for (const keys of [acked.keys(), book.unsure]) {
    for (const key of keys) {
      if (gone.length > PAGE) break
      if (!now.statuses.has(key) && (keys !== book.unsure || !acked.has(key))) gone.push(key)
    }
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
    ...(now.dataplane === undefined || sameJson(book.dataplane, now.dataplane) ? {} : { dataplane: now.dataplane }),
    timings: now.timings,
  }
  const statuses = objects.length + left.length === 0 && book.statuses !== undefined ? book.statuses : booked(acked, objects, left)
  const told = new Set([...objects.map((o) => o.key), ...left])
  const unsure = new Set([...book.unsure].filter((key) => !told.has(key)))
  return { body, after: { statuses, unsure, drift, facts: now.facts, allocations: now.allocations, dataplane: now.dataplane }, more }
}

/** The book after a report whose reply did not come: nothing that was in it is certain any more. */
export function afterLoss(book: Book, sent: ReportBody): Book {
  const unsure = new Set([...book.unsure, ...sent.objects.map((o) => o.key), ...sent.gone])
  return { statuses: book.statuses, unsure, drift: undefined, facts: undefined, allocations: undefined, dataplane: undefined }
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
