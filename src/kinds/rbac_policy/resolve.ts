import type { RbacPolicyDeclared } from '../../../schemas/rbac_policy.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved } from '../kind.ts'
import type { RbacPolicySpec } from './spec.ts'

/** Everything is written. */
export function resolvePolicy(resource: Declared): Resolved<RbacPolicySpec> {
  const { object_type, object, action, target_project } = resource.spec as RbacPolicyDeclared
  return { spec: { object_type, object, action, target_project }, findings: [] }
}
