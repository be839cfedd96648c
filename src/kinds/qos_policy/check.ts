import type { QosPolicyDeclared } from '../../../schemas/qos_policy.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import { displayKey } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Normalised, Reference, View } from '../kind.ts'
import { normalRule, ruleFindings, ruleIdentity, type WrittenRule } from './rule.ts'
import { DEFAULT_QOS_POLICY } from './spec.ts'

/** Rules keep their places: findings point into them. */
export function normaliseQosPolicy(spec: JsonObject): Normalised {
  const findings = writtenRules(spec).flatMap((rule, i) =>
    ruleFindings(rule).map((f): Finding => ({ ...f, at: ['rules', i, ...(f.at ?? [])] })),
  )
  return { spec: spec['rules'] === undefined ? spec : { ...spec, rules: writtenRules(spec).map(normalRule) }, findings }
}

/** A default policy mentions that it is the one of its project. */
export function qosPolicyReferences(spec: JsonObject, project: string): readonly Reference[] {
  const { is_default } = spec as QosPolicyDeclared
  return is_default === true ? [{ kind: DEFAULT_QOS_POLICY, name: project, at: ['is_default'], open: true }] : []
}

export function checkQosPolicy(resource: Declared, view: View): readonly Finding[] {
  return [...doubleFindings(resource), ...defaultFindings(resource, view)]
}

/** Neutron answers 409; here both are shown. */
function doubleFindings(resource: Declared): Finding[] {
  const seen = new Map<string, number>()
  return writtenRules(resource.spec).flatMap((rule, i): Finding[] => {
    const identity = ruleIdentity(rule)
    const first = seen.get(identity)
    if (first === undefined) {
      seen.set(identity, i)
      return []
    }
    const message = `rule ${i + 1} is a second ${identity} rule: rule ${first + 1} is one already`
    const related = [{ message: 'the first is written here', key: resource.key, at: ['rules', first] }]
    return [{ code: 'E1005', message, at: ['rules', i], related, hint: 'remove one of the two' }]
  })
}

/** One default policy in a project. Of two, the one whose identity sorts later is told, and the other is named. */
function defaultFindings(resource: Declared, view: View): Finding[] {
  if ((resource.spec as QosPolicyDeclared).is_default !== true) return []
  const [first] = view.users(view.ref(DEFAULT_QOS_POLICY, resource.project), 'qos_policy')
  if (first === undefined || first === resource.key) return []
  const message = `qos_policy ${resource.name} is a second default of project ${resource.project}: ${displayKey(first)} is one already`
  const related = [{ message: `${displayKey(first)} is the default`, key: first, at: ['is_default'] }]
  return [{ code: 'E1006', message, at: ['is_default'], related, hint: 'remove is_default from one of the two' }]
}

export function writtenRules(spec: JsonObject): readonly WrittenRule[] {
  return (spec as QosPolicyDeclared).rules ?? []
}
