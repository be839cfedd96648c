import type { JsonObject } from '../model/brand.ts'
import type { Key } from '../model/key.ts'
import type { DriftItem, ObjectStatus } from '../model/status.ts'
import type { Report } from '../wire/messages.ts'

/** Sync: does the host hold what it should? Health: does it live and work? Two words, always. */
export type Sync = 'Synced' | 'OutOfSync' | 'Applying' | 'Unknown'
export type Health = 'Healthy' | 'Progressing' | 'Degraded' | 'Missing'

/** What the server knows of one host, from its reports. */
export interface HostRecord {
  readonly host: string
  readonly epoch: string
  readonly version: string
  /** Milliseconds since the epoch, by the server's clock. */
  readonly lastSeen: number
  readonly revision: number
  readonly digest: string
  readonly converged: boolean
  readonly objects: ReadonlyMap<Key, ObjectStatus>
  readonly drift: readonly DriftItem[]
  readonly facts: JsonObject
  readonly allocations: JsonObject
  readonly timings: Readonly<Record<string, number>>
}

export interface HostView {
  readonly host: string
  readonly sync: Sync
  readonly health: Health
  readonly revision: number
  /** Revisions behind the target. */
  readonly lag: number
  /** Milliseconds since the last word; undefined: never heard of. */
  readonly silence?: number
  readonly note: string
}

/** Two missed heartbeats and a half: the host counts as missing. */
export function downAfter(heartbeatMs: number): number {
  return Math.round(heartbeatMs * 2.5)
}

/** Merges a report into what is known. Statuses are replaced by key; a full report replaces all. */
export function withReport(before: HostRecord | undefined, report: Report, version: string, now: number): HostRecord {
  const objects = new Map(report.full ? [] : before?.objects)
  for (const status of report.objects) objects.set(status.key, status)
  for (const key of report.gone) objects.delete(key)
  return {
    host: report.host,
    epoch: report.epoch,
    version,
    lastSeen: now,
    revision: report.revision,
    digest: report.digest,
    converged: report.converged,
    objects,
    drift: report.drift ?? before?.drift ?? [],
    facts: report.facts ?? before?.facts ?? {},
    allocations: report.allocations ?? before?.allocations ?? {},
    timings: report.timings ?? before?.timings ?? {},
  }
}

/** The two words for one host. `target` and `digest`: where it should be and what it should hold. */
export function viewHost(
  host: string,
  record: HostRecord | undefined,
  should: { readonly revision: number; readonly digest: string },
  heartbeatMs: number,
  now: number,
): HostView {
  if (record === undefined) {
    return { host, sync: 'Unknown', health: 'Missing', revision: 0, lag: should.revision, note: 'never reported: is netloom-agentd running there?' }
  }
  const silence = now - record.lastSeen
  const base = { host, revision: record.revision, lag: Math.max(0, should.revision - record.revision), silence }
  const failing = [...record.objects.values()].filter((o) => o.state === 'ERROR')
  const open = record.drift.filter((d) => d.action === 'report' || d.action === 'repair')
  if (silence > downAfter(heartbeatMs)) return { ...base, sync: 'Unknown', health: 'Missing', note: 'no report; it keeps forwarding what it has' }
  const inStep = record.digest === should.digest
  const health: Health = failing.length > 0 ? 'Degraded' : record.converged && inStep ? 'Healthy' : 'Progressing'
  if (!inStep || (!record.converged && failing.length === 0 && open.length === 0)) return { ...base, sync: 'Applying', health, note: firstCause(failing) }
  if (open.length > 0) return { ...base, sync: 'OutOfSync', health, note: `${open.length} drifted: ${open[0]?.where ?? ''}` }
  return { ...base, sync: record.converged ? 'Synced' : 'OutOfSync', health, lag: 0, revision: should.revision, note: firstCause(failing) || waiting(record) }
}

function firstCause(failing: readonly ObjectStatus[]): string {
  const first = failing[0]
  if (first === undefined) return ''
  const more = failing.length > 1 ? ` (and ${failing.length - 1} more)` : ''
  return `${first.key}: ${first.cause ?? 'failed'}${more}`
}

function waiting(record: HostRecord): string {
  const count = [...record.objects.values()].filter((o) => o.state === 'WAITING').length
  return count === 0 ? '' : `${count} ${count === 1 ? 'port waits' : 'ports wait'} for an interface`
}
