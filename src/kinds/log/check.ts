import type { LogDeclared } from '../../../schemas/log.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import { displayKey, type Key } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { Reference, View } from '../kind.ts'
import { groupKeys } from '../port/security-groups.ts'
import type { PortSpec } from '../port/spec.ts'
import { DEFAULT_GROUP } from '../security_group/spec.ts'
import { LOGGED_PROJECT } from './spec.ts'

/** Ports look for the logs of their project, so each mentions it. */
export function logReferences(spec: JsonObject, project: string): readonly Reference[] {
  const { security_group: group, port } = spec as LogDeclared
  return [
    { kind: LOGGED_PROJECT, name: project, at: [], open: true },
    ...(group === undefined ? [] : [{ kind: 'security_group', name: group, at: ['security_group'] }]),
    ...(port === undefined ? [] : [{ kind: 'port', name: port, at: ['port'], access: 'own' as const }]),
  ]
}

/** A log of the default group is a use of it. */
export function impliedGroups(spec: JsonObject): readonly { readonly kind: string; readonly name: string }[] {
  return (spec as LogDeclared).security_group === DEFAULT_GROUP ? [{ kind: 'security_group', name: DEFAULT_GROUP }] : []
}

/** Neutron refuses a port that is not in the group; here it is told as well where there is nothing to log at all. */
export function checkLog(resource: Declared, view: View): readonly Finding[] {
  const { port: name, security_group: group } = resource.spec as LogDeclared
  if (name === undefined) return []
  const port = view.need<PortSpec>(view.ref('port', name))
  const groups = groupKeys(port.spec, view)
  if (groups === undefined) return [unfiltered(port)]
  const wanted = group === undefined ? undefined : view.ref('security_group', group)
  return wanted === undefined || groups.includes(wanted) ? [] : [notIn(port, wanted, groups)]
}

function unfiltered(port: Resource<PortSpec>): Finding {
  return {
    code: 'E1101',
    message: `port ${port.name} is under no security groups: there is nothing to log`,
    at: ['port'],
    related: [{ message: `port ${port.name}`, key: port.key }],
    hint: `write port_security_enabled: true at port ${port.name}, or remove the log`,
  }
}

function notIn(port: Resource<PortSpec>, group: Key, groups: readonly Key[]): Finding {
  const its = groups.length === 0 ? 'in no group' : `in ${groups.map(displayKey).join(', ')}`
  return {
    code: 'E1107',
    message: `port ${port.name} is not in ${displayKey(group)}, but ${its}: nothing would be logged`,
    at: ['security_group'],
    related: [{ message: `port ${port.name}`, key: port.key, at: ['security_groups'] }],
    hint: `add the group to port ${port.name}, or remove security_group or port here`,
  }
}
