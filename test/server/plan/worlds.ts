import { type KindDefinition, type Lowered, NOTHING } from '../../../src/kinds/kind.ts'
import { PMap } from '../../../src/lib/pmap.ts'
import type { JsonObject } from '../../../src/model/brand.ts'
import { type Key, keyParts } from '../../../src/model/key.ts'
import type { Declared, Resource } from '../../../src/model/resource.ts'
import { type IntentKey, intentKey, type Scope } from '../../../src/model/scope.ts'
import type { DeclaredOps, EngineIndex, Footprint, Holding, Step, World } from '../../../src/server/engine/types.ts'
import type { PlanInput } from '../../../src/server/plan/plan.ts'

/** One resource of a world by hand: what was written, what became of it, what it read, and host → scopes it lowers to. */
export interface Item {
  readonly key: string
  readonly spec?: JsonObject
  /** Resolved attributes beside the written ones. */
  readonly full?: JsonObject
  readonly id?: string
  readonly reads?: readonly string[]
  /** Scopes in which it has an intent; the intent's value is its resolved spec. */
  readonly scopes?: readonly string[]
  readonly needs?: readonly (readonly [host: string, scope: string])[]
  readonly holds?: readonly (Omit<Holding, 'owner' | 'source'> & { readonly source?: Holding['source'] })[]
}

export interface TestWorld extends World {
  readonly footprints: ReadonlyMap<Key, Footprint>
}

export function worldOf(items: readonly Item[]): TestWorld {
  const holdings = items.flatMap((item) => (item.holds ?? []).map((h): Holding => ({ source: 'auto', ...h, owner: item.key as Key })))
  const byOwner = new Map<Key, readonly string[]>()
  for (const h of holdings) byOwner.set(h.owner, [...(byOwner.get(h.owner) ?? []), `${h.pool}|${h.value}`])
  const needs = new Map<string, Map<Scope, number>>()
  for (const [host, scope] of items.flatMap((item) => item.needs ?? [])) {
    const counts = needs.get(host) ?? new Map<Scope, number>()
    needs.set(host, counts.set(scope as Scope, (counts.get(scope as Scope) ?? 0) + 1))
  }
  return {
    declared: PMap.from(items.map((item) => [item.key as Key, declaredOf(item)] as const)),
    resources: PMap.from(items.map((item) => [item.key as Key, resourceOf(item)] as const)),
    findings: PMap.empty(),
    allocations: { held: PMap.from<string, Holding>(holdings.map((h) => [`${h.pool}|${h.value}`, h])), byOwner: PMap.from(byOwner) },
    scopes: PMap.empty(),
    needs: PMap.from([...needs].map(([host, counts]) => [host, PMap.from(counts)] as const)),
    index: { __engine: 'index' } satisfies EngineIndex,
    footprints: new Map(items.map((item) => [item.key as Key, { reads: (item.reads ?? []) as readonly Key[], lowered: lower(item) }])),
  }
}

function declaredOf(item: Item): Declared {
  return { key: item.key as Key, ...keyParts(item.key as Key), spec: item.spec ?? {} }
}

function resourceOf(item: Item): Resource {
  const spec = { ...item.spec, ...item.full }
  return { key: item.key as Key, ...keyParts(item.key as Key), id: item.id ?? `id-of-${item.key}`, spec }
}

function lower(item: Item): Lowered {
  const intent = { type: 'test', ...item.spec, ...item.full } as unknown as Lowered['intents'][number]['intent']
  const key: IntentKey = intentKey(intent.type, item.key)
  return {
    intents: (item.scopes ?? []).map((scope) => ({ scope: scope as Scope, key, intent })),
    needs: (item.needs ?? []).map(([host, scope]) => ({ host, scope: scope as Scope })),
  }
}

/** What an engine would say of the way from one world to the other. */
export function stepBetween(base: TestWorld, world: TestWorld): Step & { readonly ops: DeclaredOps } {
  const keys = new Set([...base.declared.keys(), ...world.declared.keys()])
  const scopes = new Set<Scope>()
  for (const footprint of [...base.footprints.values(), ...world.footprints.values()]) {
    for (const entry of footprint.lowered.intents) scopes.add(entry.scope)
  }
  const slots = new Set([...base.allocations.held.keys(), ...world.allocations.held.keys()])
  return {
    world,
    touched: keys,
    touchedScopes: scopes,
    touchedHosts: new Set([...base.needs.keys(), ...world.needs.keys()]),
    touchedSlots: slots,
    ops: { set: [...world.declared.values()], del: [...base.declared.keys()].filter((key) => !world.declared.has(key)) },
  }
}

export const GUARDS: PlanInput['guards'] = { delete_ratio: 0.3, delete_ratio_min: 10, delete_count: 25, delete_settle_ms: 2000 }

export function kindOf(kind: string, after: readonly string[], mutability: KindDefinition['mutability'] = {}): KindDefinition {
  return {
    kind,
    collection: `${kind}s`,
    scope: kind === 'host' ? 'global' : 'project',
    summary: '',
    schema: {},
    after,
    mutability,
    normalise: (spec) => ({ spec, findings: [] }),
    references: () => [],
    check: () => [],
    resolve: (resource) => ({ spec: resource.spec, findings: [] }),
    lower: () => NOTHING,
  }
}

export const KINDS: readonly KindDefinition[] = [
  kindOf('port', ['subnet', 'host'], { network: 'recreate', tag: 'immutable' }),
  kindOf('network', []),
  kindOf('subnet', ['network']),
  kindOf('host', []),
]

export function inputOf(before: readonly Item[], after: readonly Item[], more: Partial<PlanInput> = {}): PlanInput {
  const base = worldOf(before)
  const world = worldOf(after)
  const { ops, ...step } = stepBetween(base, world)
  return {
    base,
    baseRevision: 41,
    registry: 'ml2 (test)',
    ops,
    step,
    footprint: (of, key) => (of === base ? base : world).footprints.get(key),
    kinds: KINDS,
    places: (key) => ({ file: `nets/${keyParts(key).kind}s.yaml`, line: 4, col: 3 }),
    guards: GUARDS,
    ...more,
  }
}
