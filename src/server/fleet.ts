import type { JsonObject } from '../model/brand.ts'
import type { Key } from '../model/key.ts'
import type { Dataplane, DriftItem, ObjectStatus } from '../model/status.ts'
import type { Report } from '../wire/messages.ts'
import { byHost, type FleetInput } from './render/fleet.ts'
import type { AgentRow, Store } from './store/types.ts'

/** What the server knows of one host, from its reports. */
export interface HostRecord {
  readonly agent: AgentRow
  readonly objects: ReadonlyMap<Key, ObjectStatus>
  readonly drift: readonly DriftItem[]
  readonly timings: Readonly<Record<string, number>>
  /** Absent: not told by this life of the agent. */
  readonly dataplane?: Dataplane
  /** Milliseconds on the server's monotonic clock when the last report came; absent: before this server started. */
  readonly heardAt?: number
}

/**
 * Merges a report into what is known. Statuses are replaced by key; a full report replaces all. `at`: the server's clock, milliseconds; `heardAt`: its monotonic
 * one, by which silence is measured: a clock that is set takes no host away.
 */
export function withReport(
  before: HostRecord | undefined,
  report: Report,
  version: string,
  { at, heardAt }: { readonly at: number; readonly heardAt: number },
): HostRecord {
  const objects = new Map(report.full ? [] : before?.objects)
  for (const status of report.objects) objects.set(status.key, status)
  for (const key of report.gone) objects.delete(key)
  const nothing: JsonObject = {}
  return {
    agent: {
      host: report.host,
      epoch: report.epoch,
      version,
      lastSeen: new Date(at).toISOString(),
      revision: report.revision,
      digest: report.digest,
      converged: report.converged,
      facts: report.facts ?? before?.agent.facts ?? nothing,
      allocations: report.allocations ?? before?.agent.allocations ?? nothing,
    },
    objects,
    drift: report.drift ?? before?.drift ?? [],
    timings: report.timings ?? before?.timings ?? {},
    heardAt,
    ...dataplaneOf(before, report),
  }
}

function dataplaneOf(before: HostRecord | undefined, report: Report): Pick<HostRecord, 'dataplane'> {
  const kept = before?.agent.epoch === report.epoch ? before.dataplane : undefined
  const dataplane = report.dataplane ?? kept
  return dataplane === undefined ? {} : { dataplane }
}

/** The fleet as `status` and `drift` show it. `monotonic`: milliseconds on the clock of `heardAt`. */
export function fleetInput(
  revision: number,
  targets: ReadonlyMap<string, { readonly digest: string }>,
  records: ReadonlyMap<string, HostRecord>,
  now: number,
  monotonic: number,
): FleetInput {
  const all = [...records.values()]
  return {
    revision,
    targets,
    agents: all.map((r) => r.agent),
    silence: Object.fromEntries(all.flatMap((r) => (r.heardAt === undefined ? [] : [[r.agent.host, monotonic - r.heardAt] as const]))),
    dataplanes: Object.fromEntries(all.flatMap((r) => (r.dataplane === undefined ? [] : [[r.agent.host, r.dataplane] as const]))),
    status: all.flatMap((r) => [...r.objects.values()].map((o) => ({ host: r.agent.host, ...o }))),
    drift: all.flatMap((r) => r.drift.map((d) => ({ host: r.agent.host, ...d }))),
    now,
  }
}

/** What agents said before this server started: they are shown as last seen then, until they speak. */
export async function rememberedHosts(store: Store): Promise<Map<string, HostRecord>> {
  const statuses = byHost(await store.status())
  const drift = byHost(await store.drift())
  const out = new Map<string, HostRecord>()
  for (const agent of await store.agents()) {
    const objects = new Map((statuses.get(agent.host) ?? []).map(({ host: _, ...status }) => [status.key, status]))
    const items = (drift.get(agent.host) ?? []).map(({ host: _, ...item }) => item)
    out.set(agent.host, { agent, objects, drift: items, timings: {} })
  }
  return out
}
