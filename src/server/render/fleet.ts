import { formatDuration } from '../../lib/duration.ts'
import { count } from '../../lib/text.ts'
import { compareText } from '../../model/key.ts'
import { EMPTY_VERSION } from '../../model/scope.ts'
import type { Dataplane, DriftItem, ObjectStatus } from '../../model/status.ts'
import type { AgentRow } from '../store/types.ts'

/** Not heard of for longer than this: nothing is known of a host any more. */
export const MISSING_MS = 30_000

export type Sync = 'Synced' | 'Applying' | 'OutOfSync' | 'Unknown'
/** `Stalled`: the agent is heard, and its switch does not answer it. `Missing`: the agent is not heard; its switch forwards as it last was told. */
export type Health = 'Healthy' | 'Progressing' | 'Waiting' | 'Degraded' | 'Stalled' | 'Missing'

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
   * Every host ever heard of, with the digest of the scope versions each should hold: that of nothing for one that left the repository. A host that
   * holds it is at the current revision whatever number it last reported: revisions that do not concern it do not reach it. Empty: not known (no server).
   */
  readonly targets: ReadonlyMap<string, { readonly digest: string }>
  readonly agents: readonly AgentRow[]
  /** Host → milliseconds since its last report, where this server heard it; else `lastSeen` and `now` tell. */
  readonly silence?: Readonly<Record<string, number>>
  readonly dataplanes?: Readonly<Record<string, Dataplane>>
  readonly status: readonly (ObjectStatus & { readonly host: string })[]
  readonly drift: readonly (DriftItem & { readonly host: string })[]
  /** Hosts that are told nothing for now, and why. */
  readonly withheld?: Readonly<Record<string, string>>
  /** Hosts that more than one agent speaks for, and which. */
  readonly contested?: Readonly<Record<string, string>>
  /** Before the first revision: hosts that the repository declares, and those that it waits for. Absent: not known. */
  readonly first?: FirstRevision
  /** Milliseconds since the epoch. */
  readonly now: number
}

export interface FirstRevision {
  readonly declared: readonly string[]
  /** They are asked what they hold. */
  readonly awaited: readonly string[]
  readonly awaitedMs: number
}

/**
 * One state per host that ought to be there or has ever reported, sorted by name. One that left the repository is shown until it holds nothing any more and
 * its agent is not heard.
 */
export function hostStates(input: FleetInput): readonly HostState[] {
  const agents = new Map(input.agents.map((a) => [a.host, a]))
  const names = [...new Set([...input.targets.keys(), ...agents.keys()])].sort(compareText)
  const status = byHost(input.status)
  const drift = byHost(input.drift)
  return names
    .filter((host) => !isGone(host, agents.get(host), input))
    .map((host) => hostState(host, agents.get(host), { objects: status.get(host) ?? [], drift: drift.get(host) ?? [] }, input))
}

/** The repository does not name the host any more. */
export function hasLeft(target: { readonly digest: string } | undefined): boolean {
  return target?.digest === EMPTY_VERSION
}

function isGone(host: string, agent: AgentRow | undefined, input: FleetInput): boolean {
  if (!hasLeft(input.targets.get(host))) return false
  return agent === undefined || (agent.converged && agent.digest === EMPTY_VERSION && silenceOf(agent, input) > MISSING_MS)
}

function silenceOf(agent: AgentRow, input: FleetInput): number {
  return input.silence?.[agent.host] ?? input.now - Date.parse(agent.lastSeen)
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
  const silence = silenceOf(agent, input)
  const contested = input.contested?.[host]
  const leaving = hasLeft(target) ? [leavingNote(agent, objects)] : []
  if (silence > MISSING_MS) {
    return { host, agent, sync: 'Unknown', health: 'Missing', lag, notes: [...leaving, `not heard of for ${formatDuration(silence)}`] }
  }
  const sync = !current || !agent.converged ? 'Applying' : drift.length > 0 ? 'OutOfSync' : 'Synced'
  const dataplane = input.dataplanes?.[host]
  const notes = [...(contested === undefined ? [] : [contested]), ...leaving, ...notesOf(objects, drift), ...othersNote(seen.drift)]
  if (dataplane?.state === 'silent') {
    const since = `the switch does not answer, since ${silentFor(dataplane, input.now)}`
    return { host, agent, sync, health: 'Stalled', lag, notes: [since, ...notes] }
  }
  return { host, agent, sync, health: contested === undefined ? healthOf(objects) : 'Degraded', lag, notes }
}

/** How long a switch has not answered, as `7s`. */
export function silentFor({ since }: Dataplane, now: number): string {
  return formatDuration(Math.max(0, now - Date.parse(since)))
}

/** Left alone; what is known to cost frames is an error besides. */
function othersNote(drift: readonly DriftItem[]): readonly string[] {
  const foreign = drift.filter((d) => d.kind === 'foreign').length
  return foreign === 0 ? [] : [`${count(foreign, 'thing')} of others: see netloom drift`]
}

/** What it still holds is what it last spoke of. */
function leavingNote(agent: AgentRow, objects: readonly ObjectStatus[]): string {
  if (agent.digest === EMPTY_VERSION && agent.converged) return 'left the repository and holds nothing any more: its agent can be stopped'
  const ports = objects.filter((o) => o.key.startsWith('port/')).length
  return `left the repository, still holds ${ports === 0 ? 'things of ours' : count(ports, 'port')}`
}

function healthOf(objects: readonly ObjectStatus[]): Health {
  const has = (state: ObjectStatus['state']): boolean => objects.some((o) => o.state === state)
  if (has('ERROR')) return 'Degraded'
  if (has('BUILD')) return 'Progressing'
  return has('WAITING') ? 'Waiting' : 'Healthy'
}

function notesOf(objects: readonly ObjectStatus[], drift: readonly DriftItem[]): readonly string[] {
  const number = (state: ObjectStatus['state']): number => objects.filter((o) => o.state === state).length
  const errors = number('ERROR')
  const waiting = number('WAITING')
  const repaired = drift.filter((d) => d.action === 'repair').length
  return [
    ...(errors > 0 ? [`${errors} in error`] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ...(drift.length > 0 ? [`${count(drift.length, 'difference')}${repaired > 0 ? `, ${repaired} being repaired` : ''}`] : []),
  ]
}
