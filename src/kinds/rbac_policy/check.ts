import type { RbacPolicyDeclared } from '../../../schemas/rbac_policy.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import { displayKey, makeKey } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { KindDefinition, Normalised, Reference, View } from '../kind.ts'
import { type Access, GRANT, grantName } from '../sharing.ts'

/** Not every kind can be given for every purpose: external are networks only. */
export function normalisePolicy(spec: JsonObject, shareable: readonly KindDefinition[]): Normalised {
  const { object_type: type, action } = spec as RbacPolicyDeclared
  const able = shareable.filter((k) => k.sharing?.by === 'grant' && k.sharing.everybody[accessOf(action)] !== undefined)
  if (able.some((k) => k.kind === type)) return { spec, findings: [] }
  const message = `action ${action} is for kind ${able.map((k) => k.kind).join(', ')}, not for ${type}`
  return { spec, findings: [{ code: 'E0273', message, at: ['action'], hint: 'write action: access_as_shared' }] }
}

/** What is shared, and the grant that users of it look for. */
export function policyReferences(spec: JsonObject, project: string): readonly Reference[] {
  const { object_type: kind, object: name } = spec as RbacPolicyDeclared
  return [
    { kind, name, at: ['object'], access: 'own' },
    { kind: GRANT, name: grantOf(spec as RbacPolicyDeclared, project), at: ['target_project'], open: true },
  ]
}

/** One grant, one policy, as in Neutron. Of two, the one whose identity sorts later is told, and the other is named. */
export function checkPolicy(resource: Declared, view: View): readonly Finding[] {
  const policy = resource.spec as RbacPolicyDeclared
  const first = view.users(view.ref(GRANT, grantOf(policy, resource.project)), 'rbac_policy')[0]
  if (first === undefined || first === resource.key) return []
  const message = `${displayKey(resource.key)} gives ${policy.target_project} what ${displayKey(first)} gives it already`
  const related = [{ message: `${displayKey(first)} is written here`, key: first }]
  return [{ code: 'E0274', message, related, hint: 'remove one of the two' }]
}

/** A policy speaks for its own project only: of what another one has, nothing is ever given. */
function grantOf({ object_type, object, action, target_project }: RbacPolicyDeclared, project: string): string {
  const target = makeKey(object_type, project, object.slice(object.indexOf('/') + 1))
  return grantName(accessOf(action), target, target_project)
}

function accessOf(action: RbacPolicyDeclared['action']): Access {
  return action === 'access_as_external' ? 'external' : 'shared'
}
