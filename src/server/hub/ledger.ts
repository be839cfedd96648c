import { entryDigest, xorDigest } from '../../lib/digest.ts'
import { PMap } from '../../lib/pmap.ts'
import { EMPTY_VERSION, type Needs, type Scope, type ScopeVersion } from '../../model/scope.ts'
import type { ScopeState, World } from '../engine/types.ts'

/** What of a world concerns delivery, and the commit it was made from, in the words of the wire. */
export type LedgerWorld = Pick<World, 'scopes' | 'needs'> & { readonly commit?: string }

/** Where a host is told to be. `digest` is `setDigest` over scope → version of everything it needs there. */
export interface HostTarget {
  readonly revision: number
  /** The move that brought it there; rises with every move. */
  readonly seq: number
  readonly digest: string
  readonly commit?: string
}

/**
 * Which worlds can be pulled, and the target of every host: explicit data, so that canary, batches, confirm and revert are nothing but
 * other arguments to `moveTargets`. Immutable; worlds share structure.
 */
export interface Ledger {
  readonly seq: number
  readonly latest: number
  readonly worlds: ReadonlyMap<number, LedgerWorld>
  /** Every host ever heard of here. One that left the repo keeps a target with an empty set: whatever it still holds is to go. */
  readonly targets: ReadonlyMap<string, HostTarget>
}

/** A host whose set changed by a move, and how. */
export interface HostMove {
  readonly host: string
  readonly target: HostTarget
  readonly world: LedgerWorld
  readonly changes: readonly ScopeChange[]
}

/** `after` undefined: the host needs the scope no more. `before` undefined: it did not need it. */
export interface ScopeChange {
  readonly scope: Scope
  readonly before: ScopeState | undefined
  readonly after: ScopeState | undefined
}

/** Revisions kept for `pull`; one that is some host's target is kept longer. */
export const KEPT_REVISIONS = 100
export const NO_SCOPES: LedgerWorld = { scopes: PMap.empty(), needs: PMap.empty() }
const EMPTY_STATE: ScopeState = { version: EMPTY_VERSION, intents: PMap.empty() }
const EMPTY_DIGEST: string = EMPTY_VERSION

export const EMPTY_LEDGER: Ledger = { seq: 0, latest: 0, worlds: new Map(), targets: new Map() }

/** Makes a revision's world available; moves nobody. */
export function admitWorld(ledger: Ledger, revision: number, world: LedgerWorld): Ledger {
  const worlds = new Map(ledger.worlds).set(revision, world)
  return forget({ ...ledger, worlds, latest: Math.max(ledger.latest, revision) })
}

/** Adds hosts that the server remembers from before, at revision 0, which holds nothing: one that left the repo meanwhile is told so by the next move. */
export function rememberHosts(ledger: Ledger, hosts: Iterable<string>): Ledger {
  const targets = new Map(ledger.targets)
  for (const host of hosts) if (!targets.has(host)) targets.set(host, { revision: 0, seq: ledger.seq, digest: EMPTY_DIGEST })
  return { ...ledger, targets }
}

/** Hosts that `revision` concerns: those with a target, and those that its world names. */
export function knownHosts(ledger: Ledger, revision: number): Set<string> {
  const hosts = new Set(ledger.targets.keys())
  for (const host of worldAt(ledger, revision).needs.keys()) hosts.add(host)
  return hosts
}

/**
 * Moves hosts to an admitted revision, newer or older. Hosts whose set is the same at both are at the new one by definition and are not listed in `moves`.
 * Costs the difference of the worlds plus, per host, the smaller of its set and that difference.
 */
export function moveTargets(
  ledger: Ledger,
  hosts: Iterable<string>,
  revision: number,
): { readonly ledger: Ledger; readonly moves: readonly HostMove[] } {
  const after = worldAt(ledger, revision)
  const seq = ledger.seq + 1
  const targets = new Map(ledger.targets)
  const diffs = new Map<LedgerWorld, WorldDiff>()
  const digests = new Map<string, string>()
  const moves: HostMove[] = []
  for (const host of hosts) {
    const old = ledger.targets.get(host)
    const before = old === undefined ? NO_SCOPES : worldAt(ledger, old.revision)
    let diff = diffs.get(before)
    if (diff === undefined) diffs.set(before, (diff = diffWorlds(before, after)))
    const changes = hostChanges(host, before, after, diff)
    const digest = changes.reduce((sum, change) => shiftDigest(sum, change, digests), old?.digest ?? EMPTY_DIGEST)
    const target: HostTarget = { revision, seq, digest, ...commitOf(after) }
    targets.set(host, target)
    if (changes.length > 0) moves.push({ host, target, world: after, changes })
  }
  return { ledger: forget({ ...ledger, seq, targets }), moves }
}

/** The member of targets and messages that names the commit, where there is one. */
export function commitOf({ commit }: { readonly commit?: string | undefined }): { readonly commit?: string } {
  return commit === undefined ? {} : { commit }
}

/** Version of every scope the host needs in this world. */
export function needsOf(world: LedgerWorld, host: string): Needs {
  const needs: Record<Scope, ScopeVersion> = Object.create(null)
  for (const scope of world.needs.get(host)?.keys() ?? []) needs[scope] = scopeState(world, scope).version
  return needs
}

/** A scope that is needed and that nobody filled is empty, not absent. */
export function scopeState(world: LedgerWorld, scope: Scope): ScopeState {
  return world.scopes.get(scope) ?? EMPTY_STATE
}

/** The scope as it was at `version` in any revision that is still kept; the newest first. */
export function stateAtVersion(ledger: Ledger, scope: Scope, version: ScopeVersion): ScopeState | undefined {
  for (const world of [...ledger.worlds.values()].reverse()) {
    const state = world.scopes.get(scope)
    if (state?.version === version) return state
  }
  return version === EMPTY_VERSION ? EMPTY_STATE : undefined
}

interface WorldDiff {
  readonly scopes: ReadonlyMap<Scope, ScopeChange>
  readonly hosts: ReadonlySet<string>
}

function diffWorlds(before: LedgerWorld, after: LedgerWorld): WorldDiff {
  const scopes = new Map<Scope, ScopeChange>()
  for (const { key } of PMap.changes(before.scopes, after.scopes)) {
    const change = { scope: key, before: scopeState(before, key), after: scopeState(after, key) }
    if (change.before.version !== change.after.version) scopes.set(key, change)
  }
  const hosts = new Set<string>()
  for (const { key } of PMap.changes(before.needs, after.needs)) hosts.add(key)
  return { scopes, hosts }
}

function hostChanges(host: string, before: LedgerWorld, after: LedgerWorld, diff: WorldDiff): ScopeChange[] {
  const old = before.needs.get(host) ?? PMap.empty<Scope, number>()
  const next = after.needs.get(host) ?? PMap.empty<Scope, number>()
  const changes: ScopeChange[] = []
  if (diff.hosts.has(host)) {
    for (const { key, before: had, after: has } of PMap.changes(old, next)) {
      if (had === undefined) changes.push({ scope: key, before: undefined, after: scopeState(after, key) })
      else if (has === undefined) changes.push({ scope: key, before: scopeState(before, key), after: undefined })
    }
  }
  if (diff.scopes.size <= next.size) {
    for (const [scope, change] of diff.scopes) if (next.has(scope) && old.has(scope)) changes.push(change)
  } else {
    for (const scope of next.keys()) {
      const change = diff.scopes.get(scope)
      if (change !== undefined && old.has(scope)) changes.push(change)
    }
  }
  return changes
}

/** Takes the old entry out of the set's digest and puts the new one in. `memo` because hosts share scopes. */
function shiftDigest(sum: string, change: ScopeChange, memo: Map<string, string>): string {
  const entry = (version: ScopeVersion): string => {
    const key = `${change.scope}\0${version}`
    let digest = memo.get(key)
    if (digest === undefined) memo.set(key, (digest = entryDigest(change.scope, version)))
    return digest
  }
  const without = change.before === undefined ? sum : xorDigest(sum, entry(change.before.version))
  return change.after === undefined ? without : xorDigest(without, entry(change.after.version))
}

function worldAt(ledger: Ledger, revision: number): LedgerWorld {
  const world = ledger.worlds.get(revision)
  if (world !== undefined) return world
  if (revision === 0) return NO_SCOPES
  throw new Error(`revision ${revision} is not in the ledger`)
}

/** Drops worlds that are neither among the newest nor anybody's target. */
function forget(ledger: Ledger): Ledger {
  if (ledger.worlds.size <= KEPT_REVISIONS) return ledger
  const targeted = new Set([...ledger.targets.values()].map((t) => t.revision))
  const newest = new Set([...ledger.worlds.keys()].sort((a, b) => b - a).slice(0, KEPT_REVISIONS))
  const worlds = new Map([...ledger.worlds].filter(([revision]) => newest.has(revision) || targeted.has(revision)))
  return { ...ledger, worlds }
}
