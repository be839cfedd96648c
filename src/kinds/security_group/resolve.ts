import type { SecurityGroupDeclared } from '../../../schemas/security-group.ts'
import { compareText } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved, View } from '../kind.ts'
import { writtenRules } from './check.ts'
import { ruleText, type SecurityGroupSpec } from './spec.ts'
import { templateOf } from './template.ts'

/** All rules that hold, those of the site's template among them. */
export function resolveSecurityGroup(resource: Declared, view: View): Resolved<SecurityGroupSpec> {
  const { stateful = true, default_rules = true, description = '' } = resource.spec as SecurityGroupDeclared
  const template = default_rules ? templateOf(resource, view.site().default_security_group_rules).map(({ rule }) => rule) : []
  const byText = new Map([...template, ...writtenRules(resource.spec)].map((rule) => [ruleText(rule), rule]))
  const rules = [...byText].sort(([a], [b]) => compareText(a, b)).map(([, rule]) => rule)
  return { spec: { stateful, default_rules, rules, description }, findings: [] }
}
