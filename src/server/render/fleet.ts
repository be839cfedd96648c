import { formatDuration } from '../../lib/duration.ts'
import { count } from '../../lib/text.ts'
import { compareText } from '../../model/key.ts'
import type { DriftItem, ObjectStatus } from '../../model/status.ts'
import type { AgentRow } from '../store/types.ts'

/** Not heard of for longer than this: nothing is known of a host any more. */
export const MISSING_MS = 30_000

export type Sync = 'Synced' | 'Applying' | 'OutOfSync' | 'Unknown'
export type Health = 'Healthy' | 'Progressing' | 'Waiting' | 'Degraded' | 'Missing'

/** A host in two words: whether it is at what it was told, and how its objects are. */
export interface HostState {
  readonly host: string
  readonly sync: Sync
  readonly health: Health
  readonly agent?: AgentRow
  /** Revisions behind; 0 when it holds what the current one asks of it. */
  readonly lag: number
  readonly notes: readonly string[]
}

export interface FleetInput {
  /** Current revision; 0 = none. */
  readonly revision: number
  /**
   * Hosts that ought to have an agent, with the digest of the scope versions each should hold. A host that holds it is at the current
   * revision whatever number it last reported: revisions that do not concern it do not reach it.
   */
  readonly targets: ReadonlyMap<string, { readonly digest: string }>
  readonly agents: readonly AgentRow[]
  readonly status: readonly (ObjectStatus & { readonly host: string })[]
  readonly drift: readonly (DriftItem & { readonly host: string })[]
  /** Hosts that are told nothing for now, and why. */
  readonly withheld?: Readonly<Record<string, string>>
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** One state per host that ought to be there or has ever reported, sorted by name. */
export function hostStates(input: FleetInput): readonly HostState[] {
  const agents = new Map(input.agents.map((a) => [a.host, a]))
  const names = [...new Set([...input.targets.keys(), ...agents.keys()])].sort(compareText)
  const status = byHost(input.status)
  const drift = byHost(input.drift)
  return names.map((host) => hostState(host, agents.get(host), { objects: status.get(host) ?? [], drift: drift.get(host) ?? [] }, input))
}

/** Rows grouped by the host they are of, in their order. */
export function byHost<T extends { readonly host: string }>(items: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>()
  for (const item of items) {
    const list = found.get(item.host)
    if (list === undefined) found.set(item.host, [item])
    else list.push(item)
  }
  return found
}

interface Seen {
  readonly objects: readonly ObjectStatus[]
  readonly drift: readonly DriftItem[]
}

function hostState(host: string, agent: AgentRow | undefined, seen: Seen, input: FleetInput): HostState {
  if (agent === undefined)
    return { host, sync: 'Unknown', health: 'Missing', lag: input.revision, notes: [input.withheld?.[host] ?? 'never heard of'] }
  const { objects } = seen
  const drift = seen.drift.filter((d) => d.kind !== 'foreign' && d.action !== 'repaired')
  const target = input.targets.get(host)
  const current = target === undefined ? agent.revision >= input.revision : agent.digest === target.digest
  const lag = current ? 0 : Math.max(0, input.revision - agent.revision)
  const silence = input.now - Date.parse(agent.lastSeen)
  if (silence > MISSING_MS) {
    return { host, agent, sync: 'Unknown', health: 'Missing', lag, notes: [`not heard of for ${formatDuration(silence)}`] }
  }
  const sync = !current || !agent.converged ? 'Applying' : drift.length > 0 ? 'OutOfSync' : 'Synced'
  return { host, agent, sync, health: healthOf(objects), lag, notes: notesOf(objects, drift, target !== undefined) }
}

function healthOf(objects: readonly ObjectStatus[]): Health {
  const has = (state: ObjectStatus['state']): boolean => objects.some((o) => o.state === state)
  if (has('ERROR')) return 'Degraded'
  if (has('BUILD')) return 'Progressing'
  return has('WAITING') ? 'Waiting' : 'Healthy'
}

function notesOf(objects: readonly ObjectStatus[], drift: readonly DriftItem[], expected: boolean): readonly string[] {
  const number = (state: ObjectStatus['state']): number => objects.filter((o) => o.state === state).length
  const errors = number('ERROR')
  const waiting = number('WAITING')
  const repaired = drift.filter((d) => d.action === 'repair').length
  return [
    ...(errors > 0 ? [`${errors} in error`] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ...(drift.length > 0 ? [`${count(drift.length, 'difference')}${repaired > 0 ? `, ${repaired} being repaired` : ''}`] : []),
    ...(expected ? [] : ['no longer in the repo']),
  ]
}
