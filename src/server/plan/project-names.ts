import { DEFAULT_QUOTA } from '../../kinds/quota/spec.ts'
import type { RbacPolicySpec } from '../../kinds/rbac_policy/spec.ts'
import { EVERYBODY } from '../../kinds/sharing.ts'
import { didYouMean } from '../../lib/suggest.ts'
import type { Issue } from '../../model/issue.ts'
import { compareText, displayKey, type Key, keyParts } from '../../model/key.ts'
import { countOf, countsOf, keysOf } from '../engine/counts.ts'
import { counted } from './quota.ts'
import type { QuotaChange } from './quota-issues.ts'

/**
 * Projects are declared nowhere, so that any name is right; but one that has no resource, and looks like one that has some, is a slip of the
 * fingers more often than a project to come.
 */
export function projectNameIssues(change: QuotaChange): readonly Issue[] {
  const { world, kinds, locate } = change
  const lonely = mentions(change).filter(({ project }) => counted(kinds).every(({ kind }) => countOf(world, kind, project) === 0))
  if (lonely.length === 0) return []
  const names = new Set<string>()
  for (const { kind } of counted(kinds)) for (const [project] of countsOf(world, kind)) names.add(project)
  return lonely.flatMap(({ key, at, project }): readonly Issue[] => {
    const near = didYouMean(project, [...names].sort(compareText))
    if (near === undefined) return []
    const place = locate(key, at)
    const message = `${displayKey(key)} is for project ${project}, which has no resource`
    return [{ code: 'W0281', severity: 'warning', message, ...(place === undefined ? {} : { place }), hint: `did you mean ${near}?` }]
  })
}

interface Mention {
  readonly key: Key
  readonly at: readonly string[]
  readonly project: string
}

function mentions({ world }: QuotaChange): readonly Mention[] {
  const found: Mention[] = []
  for (const key of keysOf(world, 'quota')) found.push({ key, at: [], project: keyParts(key).name })
  for (const key of keysOf(world, 'rbac_policy')) {
    const spec = world.resources.get(key)?.spec as RbacPolicySpec | undefined
    if (spec !== undefined) found.push({ key, at: ['target_project'], project: spec.target_project })
  }
  return found.filter(({ project }) => project !== DEFAULT_QUOTA && project !== EVERYBODY)
}
