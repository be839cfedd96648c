import type { PortDeclared } from '../../../schemas/port.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { HostSpec } from '../host/spec.ts'
import type { Reference, View } from '../kind.ts'
import { isTunnel, type NetworkSpec } from '../network/spec.ts'

export function portReferences(spec: JsonObject): readonly Reference[] {
  const port = spec as PortDeclared
  const references: Reference[] = [{ kind: 'network', name: port.network, at: ['network'] }]
  if (port.host !== undefined) references.push({ kind: 'host', name: port.host, at: ['host'] })
  port.fixed_ips?.forEach((entry, i) => {
    if (entry.subnet !== undefined) references.push({ kind: 'subnet', name: entry.subnet, at: ['fixed_ips', i, 'subnet'] })
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
export function checkPort(resource: Declared, view: View): readonly Finding[] {
  const port = resource.spec as PortDeclared
  const network = view.need<NetworkSpec>(view.ref('network', port.network))
  const findings: Finding[] = []
  if (port.host !== undefined) findings.push(...locationFindings(resource, network, view.need<HostSpec>(view.ref('host', port.host))))
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
  return findings
}

function locationFindings(resource: Declared, network: Resource<NetworkSpec>, host: Resource<HostSpec>): readonly Finding[] {
  const { network_type: type, physical_network: physnet } = network.spec
  if (isTunnel(type) && host.spec.tunnel_ip === undefined) {
    const message = `port ${resource.name} cannot be on host ${host.name}: network ${network.name} is ${type}, and the host has no tunnel_ip`
    const related = [
      { message: `${network.name} is a ${type} network`, key: network.key, at: ['network_type'] },
      { message: 'no tunnel_ip here', key: host.key },
    ]
    return [{ code: 'E0234', message, at: ['host'], related, hint: `add tunnel_ip: … to host ${host.name}` }]
  }
  if (physnet === undefined || Object.hasOwn(host.spec.bridge_mappings, physnet)) return []
  const has = Object.keys(host.spec.bridge_mappings).sort().join(', ') || 'none'
  const message = `port ${resource.name} cannot be on host ${host.name}: network ${network.name} is on ${physnet}, and the host's bridge_mappings have ${has}`
  const related = [
    { message: `${network.name} is on ${physnet}`, key: network.key, at: ['physical_network'] },
    { message: `${physnet} is missing here`, key: host.key, at: ['bridge_mappings'] },
  ]
  return [{ code: 'E0233', message, at: ['host'], related, hint: `add ${physnet}: <bridge> to the bridge_mappings of host ${host.name}` }]
}
