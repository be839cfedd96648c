import type { SecurityGroupDeclared } from '../../../schemas/security-group.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import type { Normalised, Reference, View } from '../kind.ts'
import { SITE_KEY } from '../site/spec.ts'
import { normaliseRule, type WrittenRule } from './rule.ts'
import { DEFAULT_GROUP, type Rule, ruleText, type TemplateRule } from './spec.ts'
import { templateOf } from './template.ts'

/** Rules keep their places: findings point into them. */
export function normaliseSecurityGroup(spec: JsonObject): Normalised {
  const { rules } = spec as SecurityGroupDeclared
  if (rules === undefined) return { spec, findings: [] }
  const normal = rules.map(normaliseRule)
  const findings = normal.flatMap((n, i) => n.findings.map((f): Finding => ({ ...f, at: ['rules', i, ...(f.at ?? [])] })))
  return { spec: { ...spec, rules: normal.map((n) => n.rule) }, findings }
}

/** Who is on the other side of its rules. A group may name itself, and two may name each other. */
export function securityGroupReferences(spec: JsonObject): readonly Reference[] {
  return writtenRules(spec).flatMap((rule, i) => [
    ...(rule.remote_group === undefined ? [] : [{ kind: 'security_group', name: rule.remote_group, at: ['rules', i, 'remote_group'] }]),
    ...(rule.remote_address_group === undefined
      ? []
      : [{ kind: 'address_group', name: rule.remote_address_group, at: ['rules', i, 'remote_address_group'] }]),
  ])
}

/** A rule about the default group is a use of it. */
export function impliedGroups(spec: JsonObject): readonly { readonly kind: string; readonly name: string }[] {
  return writtenRules(spec)
    .flatMap((rule) => (rule.remote_group === undefined ? [] : [{ kind: 'security_group', name: rule.remote_group }]))
    .filter(({ name }) => name === DEFAULT_GROUP)
}

/** Neutron answers 409 with the id of the rule that is there already (B4); here both are shown. */
export function checkSecurityGroup(resource: Declared, view: View): readonly Finding[] {
  const group = resource.spec as SecurityGroupDeclared
  const seen = new Map<string, Finding['related']>()
  if (group.default_rules !== false) {
    for (const { rule, place } of templateOf(resource, writtenTemplate(view))) {
      const related = { message: 'every new group gets it', key: SITE_KEY, at: ['default_security_group_rules', place] }
      seen.set(ruleText(rule), [related])
    }
  }
  return writtenRules(group).flatMap((rule, i): Finding[] => {
    const text = ruleText(rule)
    const there = seen.get(text)
    if (there === undefined) {
      seen.set(text, [{ message: 'first written here', key: resource.key, at: ['rules', i] }])
      return []
    }
    const [first] = there
    const template = first?.key === SITE_KEY
    const message = template
      ? `rule ${i + 1} (${text}) is what every new group gets anyway`
      : `rule ${i + 1} (${text}) is rule ${Number(first?.at?.[1]) + 1} once more`
    const hint = template ? 'remove it, or write default_rules: false' : 'remove one of the two'
    return [{ code: 'E0286', message, at: ['rules', i], related: there, hint }]
  })
}

/** As it stands in the site file, whose order is that of the places. */
function writtenTemplate(view: View): readonly TemplateRule[] | undefined {
  return view.declared(SITE_KEY)?.spec['default_security_group_rules'] as readonly TemplateRule[] | undefined
}

/** After `normalise`, which leaves nothing but normal forms. */
export function writtenRules(spec: JsonObject): readonly Rule[] {
  return ((spec as SecurityGroupDeclared).rules ?? []) as readonly WrittenRule[] as readonly Rule[]
}
