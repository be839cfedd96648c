import type { PortDeclared } from '../../../schemas/port.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import type { HostSpec } from '../host/spec.ts'
import type { Reference, View } from '../kind.ts'
import type { NetworkSpec } from '../network/spec.ts'
import { writtenHost } from '../trunk/parent.ts'
import { type Binders, bindingOf } from './binding.ts'
import { migrationFindings } from './migration.ts'
import { groupFindings, groupsOf } from './security-groups.ts'

export function portReferences(spec: JsonObject): readonly Reference[] {
  const port = spec as PortDeclared
  const references: Reference[] = [{ kind: 'network', name: port.network, at: ['network'] }]
  for (const name of ['host', 'migrating_to'] as const) {
    const host = port[name]
    if (host !== undefined) references.push({ kind: 'host', name: host, at: [name] })
  }
  port.fixed_ips?.forEach((entry, i) => {
    if (entry.subnet !== undefined) references.push({ kind: 'subnet', name: entry.subnet, at: ['fixed_ips', i, 'subnet'] })
  })
  groupsOf(port)?.forEach((name, i) => {
    references.push({ kind: 'security_group', name, at: ['security_groups', i] })
  })
  return references
}

/** Only what is written is claimed. */
export function portClaims(spec: JsonObject): boolean {
  const port = spec as PortDeclared
  return (
    port.mac_address !== undefined || port.plug !== undefined || (port.fixed_ips?.some((entry) => entry.ip_address !== undefined) ?? false)
  )
}

/** Can the host carry the network at all? And do the port's attributes go together? */
export function checkPort(resource: Declared, view: View, binders: Binders): readonly Finding[] {
  const port = resource.spec as PortDeclared
  const network = view.need<NetworkSpec>(view.ref('network', port.network))
  const findings: Finding[] = []
  const host = writtenHost(resource, view)
  if (host !== undefined) {
    const bound = bindingOf(resource, network, view.need<HostSpec>(view.ref('host', host)), binders)
    if (bound.ok) findings.push(...migrationFindings(resource, { network, host, binding: bound.binding }, view, binders))
    else findings.push(bound.finding)
  }
  const security = port.port_security_enabled ?? network.spec.port_security_enabled
  if (!security && (port.allowed_address_pairs?.length ?? 0) > 0) {
    const inherited = port.port_security_enabled === undefined
    const message = `allowed_address_pairs mean nothing with port_security_enabled: false${inherited ? `, which port ${resource.name} has from network ${port.network}` : ''}`
    const related = inherited ? { related: [{ message: 'switched off here', key: network.key, at: ['port_security_enabled'] }] } : {}
    findings.push({
      code: 'E0226',
      message,
      at: ['allowed_address_pairs'],
      ...related,
      hint: 'remove the pairs, or write port_security_enabled: true',
    })
  }
  return [...findings, ...groupFindings(resource, network, view)]
}
