import type { JSONSchema } from 'json-schema-to-ts'
import type { Cidr } from '../lib/cidr.ts'
import type { Json, JsonObject } from '../model/brand.ts'
import type { Intent } from '../model/intent.ts'
import type { Finding, ValuePath } from '../model/issue.ts'
import type { Key } from '../model/key.ts'
import type { Declared, Resource } from '../model/resource.ts'
import type { IntentKey, Scope } from '../model/scope.ts'
import type { TemplateRule } from './security_group/spec.ts'
import type { Sharing } from './sharing.ts'

/**
 * The contract of a kind: one folder `kinds/<kind>/` with check.ts (rules), resolve.ts (defaults, allocation), lower.ts (→ intents).
 * All functions are pure. `check`, `resolve` and `lower` may read other resources only through the `View`, which records what
 * they read: when any of it changes, and only then, the engine runs them again.
 */
export interface KindDefinition<Spec = JsonObject> {
  /** Singular, Neutron's word: `network`. */
  readonly kind: string
  /** Top-level YAML key: `networks`. */
  readonly collection: string
  /** `global` kinds have no project (host, site). */
  readonly scope: 'project' | 'global'
  /** One sentence for `--help` and the schema. */
  readonly summary: string
  /** draft-07; `additionalProperties: false` written out. */
  readonly schema: JSONSchema
  /** Kinds whose *resolved* resources this kind may read. Gives the order of evaluation and of the plan; must have no cycle. */
  readonly after: readonly string[]
  /** What a change of each attribute does; where a kind of others does not say it, it changes in place. Another `id` always re-creates the resource. */
  readonly mutability?: Readonly<Record<string, Mutability>>
  /**
   * Lists whose order is no difference. `normalise` leaves them as they are written, because findings point into them; `resolve` sorts, and a plan does
   * not take another order for a change of what is declared.
   */
  readonly unordered?: readonly string[]
  /** How other projects come to use a resource of it. Absent: they never do. The engine refuses references across projects by this, for every kind. */
  readonly sharing?: Sharing
  /** The kind once all kinds are known, for one that speaks of others (what may be shared, what is counted). */
  among?(kinds: readonly KindDefinition[]): KindDefinition<Spec>

  /**
   * Spellings to normal form (MAC, CIDR, sets sorted); needs no other resource. The value has passed the schema.
   * Findings carry paths inside `spec`.
   */
  normalise(spec: JsonObject): Normalised
  /**
   * References in the declared spec, for existence checks, ordering, sharing and did-you-mean. Names are relative to `project`, the resource's own
   * (`name` or `project/name`).
   */
  references(spec: JsonObject, project: string): readonly Reference[]
  /**
   * Small values worked out of a resource, by name, for readers of many that need no more of it (`View.part`): a change that leaves a part as it is does not
   * make them run again.
   */
  parts?(resource: Resource<Spec>): Readonly<Record<string, Json>>
  /**
   * Resources that a resource with this declared spec takes for granted, by name: where nobody wrote them, they are there all the same, with an empty spec
   * (`server/load/tree`). Names are of the resource's own project.
   */
  implies?(spec: JsonObject): readonly { readonly kind: string; readonly name: string }[]
  /**
   * False when `resolve` claims nothing for this spec: nobody then has to wait for it before choosing among what is free. Absent: it may.
   */
  claims?(spec: JsonObject): boolean
  /** Rules that need other resources; runs before `resolve`. With an error finding the resource is not resolved. */
  check(resource: Declared, view: View): readonly Finding[]
  /** Fills in defaults and takes addresses, MACs, segments from pools. */
  resolve(resource: Declared, view: View, pools: Pools): Resolved<Spec>
  /** What the data plane must do for it, and which hosts need which scopes because of it. */
  lower(resource: Resource<Spec>, view: View): Lowered
}

/** A change is made in place, re-creates the resource, or is refused: always, or while a resource of that kind goes on using this one. */
export type Mutability = 'in place' | 'recreate' | 'immutable' | { readonly immutable_while_used_by: string }

export interface Normalised {
  readonly spec: JsonObject
  readonly findings: readonly Finding[]
}

export interface Reference {
  readonly kind: string
  readonly name: string
  readonly at: ValuePath
  /** A name that is only mentioned, such as a physical network: no resource of that kind needs to exist. */
  readonly open?: true
  /** What it takes where the target is of another project. Absent: that it is shared. `external`: that it is external is enough. `own`: that never is. */
  readonly access?: 'own' | 'external'
}

export interface Resolved<Spec> {
  readonly spec: Spec
  readonly findings: readonly Finding[]
}

export interface Lowered {
  readonly intents: readonly { readonly scope: Scope; readonly key: IntentKey; readonly intent: Intent }[]
  /** Host → scope that it must have because of this resource. The engine counts them. */
  readonly needs: readonly { readonly host: string; readonly scope: Scope }[]
  /**
   * Whoever needs the one scope, for whatever reason, needs the other, too: a router leads from a network to itself and from there to its other networks. The engine
   * follows these ways to their end, so that a port says nothing of what it can reach. Absent: none.
   */
  readonly ways?: readonly Way[]
}

export interface Way {
  readonly from: Scope
  readonly to: Scope
}

export const NOTHING: Lowered = { intents: [], needs: [] }

/** Read access to the world, tracked per reader. Keys are resolved against the reader's project by `ref`. */
export interface View {
  /** The resolved resource; undefined when absent or in error. `check` and `resolve` may ask only for kinds in `after` (their chain included). */
  get<Spec = JsonObject>(key: Key): Resource<Spec> | undefined
  /** The same for a resource that this one cannot do without: where it is absent or in error, this one is set aside without a word. */
  need<Spec = JsonObject>(key: Key): Resource<Spec>
  /** One of `parts` of a resource that this one cannot do without, as `need`. */
  part(key: Key, name: string): Json
  /** What was written, whatever its state; any kind. */
  declared(key: Key): Declared | undefined
  /** Keys of the resources of `kind` whose declared spec refers to `key`, in sorted order. */
  users(key: Key, kind: string): readonly Key[]
  /** Names that declared resources of kind `by` mention as open references of `kind`, sorted. */
  mentioned(kind: string, by: string): readonly string[]
  /** The key a name in this resource's spec stands for: `name` in its own project, `project/name` across. Global kinds have no project. */
  ref(kind: string, name: string): Key
  /** The site file's spec with defaults filled in. */
  site(): Site
}

/**
 * Named pools of values; every value has one holder. Allocation is deterministic and pinned (DESIGN 4.1). `resolve` makes all its
 * claims before its first `allocate`; what it does not ask for again is given up. A value that already has a holder stays with it.
 */
export interface Pools {
  /** The resource asks for exactly this value. Of several new askers the first by identity gets it, and before any `allocate`. */
  claim(pool: string, value: string): Claim
  /** True when the resource chose a value here before: an `allocate` there would keep it. */
  pinned(pool: string): boolean
  /**
   * Any free value: the resource’s pinned one if it still fits (of several the one that the search comes to first); else from hash(identity) upwards, round
   * the ranges once; else the longest-reserved value of a deleted resource.
   */
  allocate(pool: string, ranges: readonly ValueRange[], options?: AllocateOptions): Claim

  /*
   * Pools of blocks (`blockPool`): their values are prefixes of any length, and no two of a pool overlap, reserved ones included. Prefixes are of one
   * family. A resource has at most one block of a pool, besides what is reserved for it; the rest is as for values.
   */

  /** The resource asks for exactly this block. Reservations that are in the way give way. */
  claimBlock(pool: string, block: Cidr): BlockClaim
  /**
   * Any free block of that length within `from`: the one that the resource has, even where `from` does not hold it any more (whether it may stay
   * is for the kind to say); else one reserved for it; else from hash(identity) upwards in a region that the project's blocks share, then elsewhere
   * (`searchOrder`); else what was reserved the longest.
   */
  allocateBlock(pool: string, wish: BlockWish): BlockClaim
}

export interface BlockWish {
  /** Compacted. */
  readonly from: readonly Cidr[]
  readonly prefix: number
  /** Nobody wrote the length: what the resource has stays, though others would get another length by now. */
  readonly anyLength?: boolean
}

export interface AllocateOptions {
  /** Tells several values of one resource in one pool apart; part of what is hashed. */
  readonly label?: string
  /** Where a value chosen earlier may stay although it is outside of `ranges` now: a pool that shrinks renumbers nobody. */
  readonly keep?: () => readonly ValueRange[]
}

/** Inclusive bounds. IP addresses as their integer values. */
export interface ValueRange {
  readonly from: bigint
  readonly to: bigint
  /** Turns a number of the range into the pool's value text (an address, a VLAN id, a MAC). */
  format(n: bigint): string
  parse(text: string): bigint | undefined
}

export type Claim =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly reason: 'taken'; readonly holder: Key; readonly explicit: boolean }
  | { readonly ok: false; readonly reason: 'full'; readonly size: bigint; readonly used: number; readonly holders: readonly Key[] }

export type BlockClaim =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly reason: 'taken'; readonly holder: Key; readonly explicit: boolean; readonly value: string }
  | FullOfBlocks

/** Nowhere in `from` is a block of that length free. Reservations count as free here. */
export interface FullOfBlocks {
  readonly ok: false
  readonly reason: 'full'
  /** Addresses of `from`, and those of them that are in use. */
  readonly size: bigint
  readonly used: bigint
  readonly holders: readonly Key[]
  /** Length of the largest block that is free; absent when there is none at all. */
  readonly largest?: number
}

/** The site file with every default filled in (`kinds/site`). */
export type Site = {
  /** Null until `netloom init` wrote one. */
  readonly installation: string
  readonly core_plugin: string
  readonly service_plugins: readonly string[]
  readonly disabled_plugins: readonly string[]
  readonly overrides: readonly string[]
  readonly mechanism_drivers: readonly string[]
  readonly type_drivers: readonly string[]
  readonly project_network_types: readonly string[]
  readonly external_network_types: readonly string[]
  readonly flat_networks: readonly string[]
  readonly network_vlan_ranges: readonly { readonly physical_network: string; readonly from: number; readonly to: number }[]
  readonly vni_ranges: readonly { readonly from: number; readonly to: number }[]
  readonly geneve_ranges: readonly { readonly from: number; readonly to: number }[]
  readonly tunnel_id_ranges: readonly { readonly from: number; readonly to: number }[]
  readonly global_physnet_mtu: number
  readonly path_mtu: number
  readonly physical_network_mtus: Readonly<Record<string, number>>
  readonly overlay_ip_version: 4 | 6
  readonly geneve_max_header_size: number
  readonly igmp_snooping_enable: boolean
  readonly igmp_querier: boolean
  /** Seconds. */
  readonly igmp_query_interval: number
  readonly base_mac: string
  /** Absent: Neutron's (`DEFAULT_TEMPLATE`). */
  readonly default_security_group_rules?: readonly TemplateRule[]
  readonly endpoints: { readonly pub: string; readonly rpc: string; readonly reports: string }
  /** Threads of the server beside the planner's. */
  readonly workers: { readonly rpc: number; readonly reports: number }
  readonly source: 'worktree' | 'commit'
  readonly drift: { readonly mode: 'off' | 'report' | 'repair'; readonly schedule: string }
  readonly guards: {
    readonly delete_ratio: number
    readonly delete_ratio_min: number
    readonly delete_count: number
    readonly delete_settle_ms: number
  }
}
