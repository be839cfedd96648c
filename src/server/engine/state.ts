import type { Lowered } from '../../kinds/kind.ts'
import { PMap, type PMapDraft } from '../../lib/pmap.ts'
import { draftNested, type NestedDraft } from '../../lib/pmap-nested.ts'
import type { Finding } from '../../model/issue.ts'
import type { Key } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { Scope } from '../../model/scope.ts'
import type { Fact, Reader } from './facts.ts'
import type { EngineIndex, Holding, ScopeState, World } from './types.ts'

/** What the engine remembers beside the world's public part. All of it follows from declared resources and allocations. */
export interface Index {
  /** What each reader read, in the order of reading. */
  readonly reads: PMap<Reader, readonly Fact[]>
  readonly readers: PMap<Fact, PMap<Reader, true>>
  /** `usersFact` → resources of that kind which refer to the target. */
  readonly users: PMap<string, PMap<Key, true>>
  /** `mentionsFact` → mentioned name → how many resources mention it. */
  readonly mentions: PMap<string, PMap<string, number>>
  readonly kinds: PMap<string, PMap<Key, true>>
  /** Kind → project → how many resources of the kind it declares. */
  readonly counts: PMap<string, PMap<string, number>>
  /** UUID → resources that have it; more than one is a mistake. */
  readonly ids: PMap<string, readonly Key[]>
  readonly lowered: PMap<Key, Lowered>
  /** The reverse of the world's `needs`. */
  readonly hosts: PMap<Scope, PMap<string, number>>
  /** Scope → scopes that whoever needs it needs, too → how many resources say so (`Lowered.ways`). */
  readonly ways: PMap<Scope, PMap<Scope, number>>
  /** Host → scopes that its ways lead to. Each counts once in the world's `needs`, beside the resources that ask for it. */
  readonly led: PMap<string, PMap<Scope, 1>>
  /** Pool of blocks → blocks that are held or reserved. */
  readonly blocks: PMap<string, PMap<string, true>>
}

const EMPTY_INDEX: Index = {
  reads: PMap.empty(),
  readers: PMap.empty(),
  users: PMap.empty(),
  mentions: PMap.empty(),
  kinds: PMap.empty(),
  counts: PMap.empty(),
  ids: PMap.empty(),
  lowered: PMap.empty(),
  hosts: PMap.empty(),
  ways: PMap.empty(),
  led: PMap.empty(),
  blocks: PMap.empty(),
}

export const EMPTY_WORLD: World = {
  declared: PMap.empty(),
  resources: PMap.empty(),
  findings: PMap.empty(),
  allocations: { held: PMap.empty(), byOwner: PMap.empty() },
  scopes: PMap.empty(),
  needs: PMap.empty(),
  index: sealed(EMPTY_INDEX),
}

/** The one place where the index becomes opaque, and the one where it is opened again. */
function sealed(index: Index): EngineIndex {
  return index as unknown as EngineIndex
}
export function indexOf(world: World): Index {
  return world.index as unknown as Index
}

/** A world under change. */
export interface State {
  readonly declared: PMapDraft<Key, Declared>
  readonly resources: PMapDraft<Key, Resource>
  readonly findings: PMapDraft<Key, readonly Finding[]>
  readonly held: PMapDraft<string, Holding>
  readonly byOwner: PMapDraft<Key, readonly string[]>
  readonly scopes: PMapDraft<Scope, ScopeState>
  readonly needs: NestedDraft<string, Scope, number>
  readonly reads: PMapDraft<Reader, readonly Fact[]>
  readonly readers: NestedDraft<Fact, Reader, true>
  readonly users: NestedDraft<string, Key, true>
  readonly mentions: NestedDraft<string, string, number>
  readonly kinds: NestedDraft<string, Key, true>
  readonly counts: NestedDraft<string, string, number>
  readonly ids: PMapDraft<string, readonly Key[]>
  readonly lowered: PMapDraft<Key, Lowered>
  readonly hosts: NestedDraft<Scope, string, number>
  readonly ways: NestedDraft<Scope, Scope, number>
  readonly led: NestedDraft<string, Scope, 1>
  readonly blocks: NestedDraft<string, string, true>
}

export function draftState(world: World): State {
  const index = indexOf(world)
  return {
    declared: world.declared.draft(),
    resources: world.resources.draft(),
    findings: world.findings.draft(),
    held: world.allocations.held.draft(),
    byOwner: world.allocations.byOwner.draft(),
    scopes: world.scopes.draft(),
    needs: draftNested(world.needs),
    reads: index.reads.draft(),
    readers: draftNested(index.readers),
    users: draftNested(index.users),
    mentions: draftNested(index.mentions),
    kinds: draftNested(index.kinds),
    counts: draftNested(index.counts),
    ids: index.ids.draft(),
    lowered: index.lowered.draft(),
    hosts: draftNested(index.hosts),
    ways: draftNested(index.ways),
    led: draftNested(index.led),
    blocks: draftNested(index.blocks),
  }
}

export function finishState(state: State): World {
  const index: Index = {
    reads: state.reads.done(),
    readers: state.readers.done(),
    users: state.users.done(),
    mentions: state.mentions.done(),
    kinds: state.kinds.done(),
    counts: state.counts.done(),
    ids: state.ids.done(),
    lowered: state.lowered.done(),
    hosts: state.hosts.done(),
    ways: state.ways.done(),
    led: state.led.done(),
    blocks: state.blocks.done(),
  }
  return {
    declared: state.declared.done(),
    resources: state.resources.done(),
    findings: state.findings.done(),
    allocations: { held: state.held.done(), byOwner: state.byOwner.done() },
    scopes: state.scopes.done(),
    needs: state.needs.done(),
    index: sealed(index),
  }
}
