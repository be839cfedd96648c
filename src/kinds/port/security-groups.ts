import type { PortDeclared } from '../../../schemas/port.ts'
import { canonicalPrefix } from '../../lib/cidr.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { MemberIntent } from '../../model/intent.ts'
import type { Finding } from '../../model/issue.ts'
import { compareText, displayKey, type Key } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import { groupScope, intentKey, membersScope, type Scope } from '../../model/scope.ts'
import type { Lowered, View } from '../kind.ts'
import type { NetworkSpec } from '../network/spec.ts'
import { DEFAULT_GROUP } from '../security_group/spec.ts'
import type { PortSpec } from './spec.ts'

const BY_DEFAULT = [DEFAULT_GROUP]

/** The groups of a port by what is written, before its network has a say; undefined: none, and no rules. Neutron trusts ports of the network itself. */
export function groupsOf(port: PortDeclared): readonly string[] | undefined {
  if (port.security_groups !== undefined) return port.security_groups
  return port.port_security_enabled === false || port.device_owner?.startsWith('network:') === true ? undefined : BY_DEFAULT
}

/** What is written, with the network's say: without port security there are no groups. */
export function securityOf(
  port: PortDeclared,
  network: Resource<NetworkSpec>,
): Pick<PortSpec, 'port_security_enabled' | 'security_groups'> {
  const port_security_enabled = port.port_security_enabled ?? network.spec.port_security_enabled
  const groups = port_security_enabled ? groupsOf(port) : undefined
  return { port_security_enabled, ...(groups === undefined ? {} : { security_groups: [...new Set(groups)].sort(compareText) }) }
}

/** A project's default group is there as soon as a port uses it, as in Neutron. */
export function impliedGroups(spec: JsonObject): readonly { readonly kind: string; readonly name: string }[] {
  return groupsOf(spec as PortDeclared)?.includes(DEFAULT_GROUP) === true ? IMPLIED : []
}

const IMPLIED = [{ kind: 'security_group', name: DEFAULT_GROUP }]

/** Groups need port security, and all have to agree on whether answers need a rule. */
export function groupFindings(resource: Declared, network: Resource<NetworkSpec>, view: View): readonly Finding[] {
  const port = resource.spec as PortDeclared
  const names = port.security_groups ?? []
  if (names.length > 0 && !(port.port_security_enabled ?? network.spec.port_security_enabled)) return [unsecured(resource, network)]
  const [first, ...others] = names.map((name) => {
    const key = view.ref('security_group', name)
    return { key, stateful: view.part(key, 'stateful') === true }
  })
  const i = others.findIndex((group) => group.stateful !== first?.stateful)
  const other = others[i]
  if (first === undefined || other === undefined) return []
  const said = [first, other].map(({ key, stateful }) => ({ key, message: `${displayKey(key)} is ${stateful ? 'stateful' : 'stateless'}` }))
  return [
    {
      code: 'E0287',
      message: `${said.map(({ message }) => message).join(' and ')}: a port has groups of one sort`,
      at: ['security_groups', i + 1],
      related: said.map((one) => ({ ...one, at: ['stateful'] })),
      hint: `leave one of the two out, or write stateful: ${first.stateful} on ${displayKey(other.key)}`,
    },
  ]
}

function unsecured(resource: Declared, network: Resource<NetworkSpec>): Finding {
  const inherited = (resource.spec as PortDeclared).port_security_enabled === undefined
  const why = inherited ? `, which port ${resource.name} has from network ${network.name}` : ''
  return {
    code: 'E0288',
    message: `security_groups mean nothing with port_security_enabled: false${why}`,
    at: ['security_groups'],
    ...(inherited ? { related: [{ message: 'switched off here', key: network.key, at: ['port_security_enabled'] }] } : {}),
    hint: 'remove the groups, or write port_security_enabled: true',
  }
}

/** Keys of the groups that a resolved port is in, sorted. */
export function groupKeys({ security_groups }: PortSpec, view: View): readonly Key[] | undefined {
  return security_groups?.map((name) => view.ref('security_group', name)).sort()
}

/** Each of its groups learns under which addresses the port is the group; on a host or not, as in Neutron. */
export function memberships({ key, spec }: Resource<PortSpec>, groups: readonly Key[]): Lowered['intents'] {
  const texts = [...spec.fixed_ips, ...spec.allowed_address_pairs].map(({ ip_address }) => canonicalPrefix(ip_address) ?? ip_address)
  const prefixes = [...new Set(texts)].sort()
  return groups.map((group) => {
    const intent: MemberIntent = { group, port: key, prefixes, type: 'member' }
    return { scope: membersScope(group), key: intentKey('member', key), intent }
  })
}

/** What a host with a port of these groups has to know of: their rules, and everybody whom those are about. */
export function groupScopes(groups: readonly Key[], view: View): readonly Scope[] {
  return [...new Set(groups.flatMap((group) => [groupScope(group), ...(view.part(group, 'remotes') as readonly Scope[])]))]
}
