import type { KindDefinition } from '../../kinds/kind.ts'
import { DEFAULT_QUOTA, type QuotaSpec, UNLIMITED } from '../../kinds/quota/spec.ts'
import { compareText, type Key, makeKey } from '../../model/key.ts'
import { countOf, countsOf, keysOf } from '../engine/counts.ts'
import type { World } from '../engine/types.ts'

/** One limit of one project, and what is used of it. */
export interface QuotaUse {
  readonly project: string
  readonly kind: string
  /** The kind's name in YAML, and in the quota. */
  readonly collection: string
  /** -1: none. */
  readonly limit: number
  readonly used: number
  /** The quota that sets the limit; absent: none does. */
  readonly quota?: Key
}

/** Use and limit of every kind in every project that has a resource or a quota; sorted by project, then collection. */
export function quotaUses(world: World, kinds: readonly KindDefinition[]): readonly QuotaUse[] {
  return projectsOf(world, kinds).flatMap((project) => quotaUsesOf(world, kinds, project))
}

export function quotaUsesOf(world: World, kinds: readonly KindDefinition[], project: string): readonly QuotaUse[] {
  return counted(kinds).map(({ kind, collection }) => {
    const quota = [project, DEFAULT_QUOTA].map(quotaKey).find((key) => limitIn(world, key, collection) !== undefined)
    const limit = quota === undefined ? UNLIMITED : (limitIn(world, quota, collection) ?? UNLIMITED)
    return { project, kind, collection, limit, used: countOf(world, kind, project), ...(quota === undefined ? {} : { quota }) }
  })
}

/** Every use that a limit is set for and that is above it. Looks at the kinds that are limited, and at nobody's resources. */
export function usesAboveLimit(world: World, kinds: readonly KindDefinition[]): readonly QuotaUse[] {
  const above: QuotaUse[] = []
  const own = [...keysOf(world, 'quota')].sort(compareText)
  for (const { kind, collection } of own.length === 0 ? [] : counted(kinds)) {
    const everybody = limitIn(world, quotaKey(DEFAULT_QUOTA), collection)
    if (everybody === undefined && own.every((key) => limitIn(world, key, collection) === undefined)) continue
    for (const [project, used] of countsOf(world, kind)) {
      const written = limitIn(world, quotaKey(project), collection)
      const limit = written ?? everybody ?? UNLIMITED
      if (limit === UNLIMITED || used <= limit) continue
      above.push({ project, kind, collection, limit, used, quota: quotaKey(written === undefined ? DEFAULT_QUOTA : project) })
    }
  }
  return above.sort((a, b) => compareText(a.project, b.project) || compareText(a.collection, b.collection))
}

/** Projects are nothing but names: of resources, and of quotas. */
export function projectsOf(world: World, kinds: readonly KindDefinition[]): readonly string[] {
  const names = new Set<string>()
  for (const { kind } of counted(kinds)) for (const [project] of countsOf(world, kind)) names.add(project)
  for (const key of keysOf(world, 'quota')) names.add(world.declared.get(key)?.name ?? '')
  names.delete(DEFAULT_QUOTA)
  return [...names].sort(compareText)
}

/** Kinds that belong to projects, by collection. */
export function counted(kinds: readonly KindDefinition[]): readonly KindDefinition[] {
  return kinds.filter((k) => k.scope === 'project').sort((a, b) => compareText(a.collection, b.collection))
}

function quotaKey(project: string): Key {
  return makeKey('quota', '', project)
}

function limitIn(world: World, quota: Key, collection: string): number | undefined {
  return (world.resources.get(quota)?.spec as QuotaSpec | undefined)?.[collection]
}
