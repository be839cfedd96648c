import type { QuotaDeclared } from '../../../schemas/quota.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved } from '../kind.ts'
import type { QuotaSpec } from './spec.ts'

/** What is left out is the default's, or has no limit: that is decided where it is looked up, so that a changed default changes no other quota. */
export function resolveQuota(resource: Declared): Resolved<QuotaSpec> {
  return { spec: resource.spec as QuotaDeclared, findings: [] }
}
