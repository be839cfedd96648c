import type { QosPolicyDeclared } from '../../../schemas/qos_policy.ts'
import { compareText } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved } from '../kind.ts'
import { writtenRules } from './check.ts'
import { resolveRule, ruleIdentity } from './rule.ts'
import type { QosPolicySpec } from './spec.ts'

/** Everything filled in; the order in the file is no difference. */
export function resolveQosPolicy(resource: Declared): Resolved<QosPolicySpec> {
  const { shared = false, is_default = false, description = '' } = resource.spec as QosPolicyDeclared
  const rules = writtenRules(resource.spec).flatMap((rule) => resolveRule(rule) ?? [])
  return {
    spec: { rules: rules.sort((a, b) => compareText(ruleIdentity(a), ruleIdentity(b))), shared, is_default, description },
    findings: [],
  }
}
