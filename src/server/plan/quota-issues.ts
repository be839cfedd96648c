import type { KindDefinition } from '../../kinds/kind.ts'
import { DEFAULT_QUOTA } from '../../kinds/quota/spec.ts'
import { count } from '../../lib/text.ts'
import type { Issue } from '../../model/issue.ts'
import { compareText, displayKey, type Key, keyParts } from '../../model/key.ts'
import { countOf, keysOf } from '../engine/counts.ts'
import type { Locate, World } from '../engine/types.ts'
import { type QuotaUse, usesAboveLimit } from './quota.ts'

/** A world, and the one it is to follow. */
export interface QuotaChange {
  readonly base: World
  readonly world: World
  readonly kinds: readonly KindDefinition[]
  readonly locate: Locate
}

/**
 * A change may not take a project beyond a limit, nor further beyond one. It may leave it there: a limit below what is in use stops what is new,
 * and removes nothing, as in Neutron. Told at the resource that is one too many: of the new ones, by identity, the first for which there is no room.
 */
export function quotaIssues(change: QuotaChange): readonly Issue[] {
  return usesAboveLimit(change.world, change.kinds).map((use) => {
    const before = countOf(change.base, use.kind, use.project)
    return use.used > before ? exceeded(change, use, before) : lowered(change, use)
  })
}

/** Names the resources that are wanted, as many as anybody wants to read. */
const NAMES = 3

function exceeded(change: QuotaChange, use: QuotaUse, before: number): Issue {
  const { collection, project, limit } = use
  const wanted = newResources(change, use)
  const used = use.used - wanted.length
  const names = wanted.slice(0, NAMES).map((key) => keyParts(key).name)
  const more = wanted.length > NAMES ? ` and ${wanted.length - NAMES} more` : ''
  const first = wanted[Math.max(0, limit - used)]
  const place = first === undefined ? undefined : change.locate(first, [])
  const over = use.used - Math.max(limit, before)
  return {
    code: 'E0280',
    severity: 'error',
    message: `quota for ${collection} in project ${project}: limit ${limit}, ${used} used, ${wanted.length} wanted (${names.join(', ')}${more})`,
    ...(place === undefined ? {} : { place }),
    ...(first === undefined ? {} : { label: `no room for ${displayKey(first)}` }),
    ...limitRelated(change, use),
    hint: `raise ${collection} to ${use.used} ${whereWritten(use)}, or remove ${count(over, 'resource')}`,
  }
}

function lowered(change: QuotaChange, use: QuotaUse): Issue {
  const { collection, project, limit, used } = use
  const place = use.quota === undefined ? undefined : change.locate(use.quota, [collection])
  return {
    code: 'W0280',
    severity: 'warning',
    message: `quota for ${collection} in project ${project}: limit ${limit}, ${used} used; nothing is removed, and none can be added`,
    ...(place === undefined ? {} : { place }),
    hint: `raise ${collection} to ${used} ${whereWritten(use)} if that is too low`,
  }
}

function newResources({ base, world }: QuotaChange, { kind, project }: QuotaUse): readonly Key[] {
  const wanted: Key[] = []
  for (const key of keysOf(world, kind)) if (!base.declared.has(key) && keyParts(key).project === project) wanted.push(key)
  return wanted.sort(compareText)
}

function limitRelated({ locate }: QuotaChange, { quota, collection, limit }: QuotaUse): Pick<Issue, 'related'> {
  const place = quota === undefined ? undefined : locate(quota, [collection])
  return place === undefined ? {} : { related: [{ message: `the limit of ${limit}`, place }] }
}

function whereWritten({ quota, project }: QuotaUse): string {
  const byDefault = quota !== undefined && keyParts(quota).name === DEFAULT_QUOTA
  return byDefault ? `in a quota of project ${project}` : `in quota ${project}`
}
