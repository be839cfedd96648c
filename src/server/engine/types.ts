import type { Lowered } from '../../kinds/kind.ts'
import type { PMap } from '../../lib/pmap.ts'
import type { Intent } from '../../model/intent.ts'
import type { Finding, Place } from '../../model/issue.ts'
import type { Key } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { IntentKey, Scope, ScopeVersion } from '../../model/scope.ts'

/**
 * All resources of one revision, resolved, immutable. Successive worlds share structure, so keeping the last hundred costs only what changed.
 * `declared` + `allocations` determine everything else: a world is rebuilt from these two alone.
 */
export interface World {
  readonly declared: PMap<Key, Declared>
  readonly resources: PMap<Key, Resource>
  /** What check and resolve found; only keys that have something. `issuesOf` joins it with places, which move without any resource changing. */
  readonly findings: PMap<Key, readonly Finding[]>
  readonly allocations: Allocations
  readonly scopes: PMap<Scope, ScopeState>
  /** Host → scopes it needs, those that its ways lead to included → how many reasons there are. */
  readonly needs: PMap<string, PMap<Scope, number>>
  /** Private to the engine: what was read by whom, who refers to what, what each resource lowered to. */
  readonly index: EngineIndex
}

export interface ScopeState {
  readonly version: ScopeVersion
  readonly intents: PMap<IntentKey, Intent>
}

/** Opaque outside `server/engine`. */
export type EngineIndex = { readonly __engine: 'index' }

/** `pool|value` → who holds it; `|` occurs in neither. The one truth about addresses, MACs and segments; pinned in SQLite. */
export interface Allocations {
  readonly held: PMap<string, Holding>
  /** Owner → what it holds, as `pool|value`. */
  readonly byOwner: PMap<Key, readonly string[]>
}

export interface Holding {
  readonly pool: string
  readonly value: string
  readonly owner: Key
  /** explicit: written in YAML; auto: chosen; reserved: the owner is gone, kept for 30 days. */
  readonly source: 'explicit' | 'auto' | 'reserved'
  /** Milliseconds since the epoch; set while reserved. */
  readonly releasedAt?: number
}

/** A change of what is declared, relative to a base world. */
export interface DeclaredOps {
  readonly set: readonly Declared[]
  readonly del: readonly Key[]
}

/** Result of running the engine over a base world. `touched` = every resource whose resolved value may differ; cost follows it. */
export interface Step {
  readonly world: World
  readonly touched: ReadonlySet<Key>
  readonly touchedScopes: ReadonlySet<Scope>
  /** Hosts whose target changes: other scopes, or other versions of theirs. */
  readonly touchedHosts: ReadonlySet<string>
  /** `pool|value` of every holding that may differ. */
  readonly touchedSlots: ReadonlySet<string>
}

/** How a resource came to be what it is: the plan takes its reasons (`reads`) and its hosts (`lowered`) from here. */
export interface Footprint {
  /** Keys whose value `check`, `resolve` or `lower` of this resource read, in any order. */
  readonly reads: readonly Key[]
  readonly lowered: Lowered
}

/** Finds the place of a path inside a declared resource's YAML; `issuesOf` joins findings with it. */
export type Locate = (key: Key, at: readonly (string | number)[]) => Place | undefined

/** The engine's whole surface; `server/engine/engine.ts` implements it as `createEngine(kinds)`. */
export interface Engine {
  empty(): World
  /**
   * Applies ops to a base world: checks, resolves and lowers what they reach, and nothing else. Pure.
   * `now` in milliseconds decides when reservations have lapsed. The result equals `rebuild` of its declared set with its allocations,
   * and running the same ops in any split gives an equal world, values aside that two resources wanted at once: there the earlier step wins.
   */
  step(base: World, ops: DeclaredOps, options: { readonly now: number }): Step
  /** A full recompute from declared resources and pinned allocations. */
  rebuild(declared: Iterable<Declared>, allocations: Allocations, options: { readonly now: number }): World
  /** Undefined for a key the world does not hold. */
  footprint(world: World, key: Key): Footprint | undefined
}
