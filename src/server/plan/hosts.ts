import type { Lowered } from '../../kinds/kind.ts'
import { sameJson } from '../../lib/json.ts'
import { compareText } from '../../model/key.ts'
import type { Scope } from '../../model/scope.ts'
import type { Step, World } from '../engine/types.ts'

/** Hosts whose target changes because a resource lowered to `before` and now lowers to `after`; sorted. Equal answers are one shared list. */
export type HostsOf = (before: Lowered | undefined, after: Lowered | undefined) => readonly string[]

/** Looks only at hosts and scopes that the step touched. */
export function hostFinder(base: World, step: Step): HostsOf {
  const needers = needersOf(base, step)
  const shared = new Map<string, readonly string[]>()
  return (before, after) => {
    const marks = changedScopes(before, after)
    const named = changedNeeds(before, after).filter((host) => step.touchedHosts.has(host))
    const id = `${marks.join('\n')}\n\n${named.join('\n')}`
    const known = shared.get(id)
    if (known !== undefined) return known
    const hosts = union(
      named,
      marks.flatMap((mark) => needers.get(mark) ?? []),
    )
    shared.set(id, hosts)
    return hosts
  }
}

/**
 * What happens to a scope's content: an intent is added (concerns who needs the scope afterwards), removed (who needed it before) or changed
 * (who needs it throughout). Who comes to need a scope, or stops, does so because of another change.
 */
type How = 'added' | 'removed' | 'changed'
type Mark = `${How} ${Scope}`

/** Hosts in order, and the same to look one up. */
interface Hosts {
  readonly list: readonly string[]
  readonly set: ReadonlySet<string>
}

/** Of a port's network and its host, the network's hosts are all there are: mostly one list has everybody, and is handed out itself. */
function union(named: readonly string[], groups: readonly Hosts[]): readonly string[] {
  const [first, ...others] = groups
  const widest = others.reduce((a, b) => (a !== undefined && a.list.length >= b.list.length ? a : b), first)
  const all = [...named, ...groups.flatMap((group) => (group === widest ? [] : group.list))]
  if (widest !== undefined && all.every((host) => widest.set.has(host))) return widest.list
  return [...new Set([...all, ...(widest?.list ?? [])])].sort(compareText)
}

function needersOf(base: World, step: Step): ReadonlyMap<Mark, Hosts> {
  const found = new Map<Mark, Set<string>>()
  const add = (mark: Mark, host: string): void => {
    const hosts = found.get(mark)
    if (hosts === undefined) found.set(mark, new Set([host]))
    else hosts.add(host)
  }
  for (const host of step.touchedHosts) {
    for (const { scope, before, after } of touchedNeeds(host, base, step)) {
      if (after) add(`added ${scope}`, host)
      if (before) add(`removed ${scope}`, host)
      if (before && after) add(`changed ${scope}`, host)
    }
  }
  return new Map([...found].map(([mark, set]) => [mark, { list: [...set].sort(compareText), set }]))
}

interface Need {
  readonly scope: Scope
  readonly before: boolean
  readonly after: boolean
}

/** Touched scopes that the host needs, or needed. Walks over whichever is shorter: its needs, or what was touched. */
function touchedNeeds(host: string, base: World, step: Step): readonly Need[] {
  const old = base.needs.get(host)
  const now = step.world.needs.get(host)
  const many = (old?.size ?? 0) + (now?.size ?? 0) > step.touchedScopes.size
  const scopes = many ? step.touchedScopes : new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])
  return [...scopes]
    .filter((scope) => step.touchedScopes.has(scope))
    .map((scope) => ({ scope, before: old?.has(scope) ?? false, after: now?.has(scope) ?? false }))
}

function changedScopes(before: Lowered | undefined, after: Lowered | undefined): readonly Mark[] {
  const old = intentsOf(before)
  const now = intentsOf(after)
  const marks = new Set<Mark>()
  for (const [id, { scope, intent }] of old) {
    const next = now.get(id)
    if (next === undefined) marks.add(`removed ${scope}`)
    else if (!sameJson(intent, next.intent)) marks.add(`changed ${scope}`)
  }
  for (const [id, { scope }] of now) if (!old.has(id)) marks.add(`added ${scope}`)
  return [...marks].sort(compareText)
}

function intentsOf(lowered: Lowered | undefined): ReadonlyMap<string, Lowered['intents'][number]> {
  return new Map((lowered?.intents ?? []).map((entry) => [`${entry.scope}\n${entry.key}`, entry]))
}

/** Hosts that need a scope because of the resource now and did not before, or the other way round. */
function changedNeeds(before: Lowered | undefined, after: Lowered | undefined): readonly string[] {
  const pairs = (lowered: Lowered | undefined): Map<string, string> =>
    new Map((lowered?.needs ?? []).map(({ host, scope }) => [`${host}\n${scope}`, host]))
  const old = pairs(before)
  const now = pairs(after)
  const hosts = new Set<string>()
  for (const [pair, host] of old) if (!now.has(pair)) hosts.add(host)
  for (const [pair, host] of now) if (!old.has(pair)) hosts.add(host)
  return [...hosts].sort(compareText)
}
