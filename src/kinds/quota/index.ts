import { quotaSchema } from '../../../schemas/quota.ts'
import { type KindDefinition, NOTHING } from '../kind.ts'
import { normaliseQuota } from './check.ts'
import { resolveQuota } from './resolve.ts'
import type { QuotaSpec } from './spec.ts'

/** The kind, with the collections that are counted: all that belong to projects. */
function createQuota(counted: readonly string[]): KindDefinition<QuotaSpec> {
  return {
    kind: 'quota',
    collection: 'quotas',
    scope: 'global',
    summary: 'How many resources of each kind a project may have.',
    schema: quotaSchema(counted),
    after: [],
    among: (kinds) => createQuota(kinds.filter((k) => k.scope === 'project').map((k) => k.collection)),
    normalise: normaliseQuota,
    references: () => [],
    claims: () => false,
    check: () => [],
    resolve: resolveQuota,
    lower: () => NOTHING,
  }
}

export const quota: KindDefinition<QuotaSpec> = createQuota([])
