import { rbacPolicySchema } from '../../../schemas/rbac_policy.ts'
import { type KindDefinition, NOTHING } from '../kind.ts'
import { enumOf } from '../schema.ts'
import { canBeGranted } from '../sharing.ts'
import { checkPolicy, normalisePolicy, policyReferences } from './check.ts'
import { resolvePolicy } from './resolve.ts'
import type { RbacPolicySpec } from './spec.ts'

/** The kind, with the kinds that can be shared. */
function createPolicy(shareable: readonly KindDefinition[]): KindDefinition<RbacPolicySpec> {
  const names = shareable.map((k) => k.kind)
  return {
    kind: 'rbac_policy',
    collection: 'rbac_policies',
    scope: 'project',
    summary: 'Lets another project use a resource of this one.',
    schema: enumOf(rbacPolicySchema, ['object_type'], names),
    after: names,
    among: (kinds) => createPolicy(kinds.filter(canBeGranted)),
    normalise: (spec) => normalisePolicy(spec, shareable),
    references: policyReferences,
    claims: () => false,
    check: checkPolicy,
    resolve: resolvePolicy,
    lower: () => NOTHING,
  }
}

export const rbacPolicy: KindDefinition<RbacPolicySpec> = createPolicy([])
