import type { Lowered } from '../../kinds/kind.ts'
import { sameJson } from '../../lib/json.ts'
import { compareText } from '../../model/key.ts'
import type { Scope } from '../../model/scope.ts'
import type { Step, World } from '../engine/types.ts'

/** Hosts whose target changes because a resource lowered to `before` and now lowers to `after`; sorted. Equal answers are one shared list. */
export type HostsOf = (before: Lowered | undefined, after: Lowered | undefined) => readonly string[]

/** Looks only at hosts and scopes that the step touched. */
export function hostFinder(base: World, step: Step): HostsOf {
  const needers = hostsByScope(base, step)
  const shared = new Map<string, readonly string[]>()
  return (before, after) => {
    const scopes = [...changedScopes(before, after)].filter((scope) => needers.has(scope)).sort(compareText)
    const named = changedNeeds(before, after).filter((host) => step.touchedHosts.has(host))
    const id = `${scopes.join(' ')}\n${named.join(' ')}`
    const known = shared.get(id)
    if (known !== undefined) return known
    const hosts = [...new Set([...named, ...scopes.flatMap((scope) => needers.get(scope) ?? [])])].sort(compareText)
    shared.set(id, hosts)
    return hosts
  }
}

function hostsByScope(base: World, step: Step): ReadonlyMap<Scope, readonly string[]> {
  const found = new Map<Scope, string[]>()
  for (const scope of step.touchedScopes) found.set(scope, [])
  for (const host of step.touchedHosts) {
    for (const scope of touchedNeeds(host, base, step)) found.get(scope)?.push(host)
  }
  return found
}

/** Touched scopes that the host needs, or needed. Walks over whichever is shorter: its needs, or what was touched. */
function touchedNeeds(host: string, base: World, step: Step): Iterable<Scope> {
  const before = base.needs.get(host)
  const after = step.world.needs.get(host)
  if ((before?.size ?? 0) + (after?.size ?? 0) > step.touchedScopes.size) {
    return [...step.touchedScopes].filter((scope) => before?.has(scope) || after?.has(scope))
  }
  return new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])
}

function changedScopes(before: Lowered | undefined, after: Lowered | undefined): ReadonlySet<Scope> {
  const old = intentsOf(before)
  const now = intentsOf(after)
  const scopes = new Set<Scope>()
  for (const [id, entry] of old) if (!sameJson(entry.intent, now.get(id)?.intent)) scopes.add(entry.scope)
  for (const [id, entry] of now) if (!old.has(id)) scopes.add(entry.scope)
  return scopes
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
