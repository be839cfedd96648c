import type { HostDeclared } from '../../../schemas/host.ts'
import { formatIp, isLoopbackIp, isMulticastIp, parseIp } from '../../lib/ip.ts'
import { decodeZ85 } from '../../lib/z85.ts'
import type { JsonObject } from '../../model/brand.ts'
import { HOST_NAME_RULE, isHostName } from '../../model/host-name.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import { interfaceNameFault } from '../interface-name.ts'
import type { Normalised, Reference, View } from '../kind.ts'
import { AVAILABILITY_ZONE, DEFAULT_ZONE, INTEGRATION_BRIDGE, PHYSICAL_NETWORK, TUNNEL_ADDRESS } from './spec.ts'

export function normaliseHost(spec: JsonObject): Normalised {
  const host = spec as HostDeclared
  const findings = [...bridgeFindings(host.bridge_mappings ?? {}), ...keyFindings(host.public_key)]
  if (host.tunnel_ip === undefined) return { spec, findings }
  const ip = parseIp(host.tunnel_ip)
  if (ip === undefined || ip.value === 0n || isMulticastIp(ip) || isLoopbackIp(ip)) {
    const what = ip === undefined ? 'is not an IP address' : 'cannot be the end of a tunnel'
    findings.push({
      code: 'E0230',
      message: host.tunnel_ip.trim() === '' ? 'tunnel_ip is empty' : `tunnel_ip ${host.tunnel_ip} ${what}`,
      at: ['tunnel_ip'],
      hint: 'write a unicast address of the host, such as 192.0.2.1',
    })
    return { spec, findings }
  }
  return { spec: { ...spec, tunnel_ip: formatIp(ip.family, ip.value) }, findings }
}

function keyFindings(key: string | undefined): Finding[] {
  if (key === undefined || decodeZ85(key) !== undefined) return []
  const hint = 'paste the line that `netloom keys new HOST` prints, quotes included'
  return [{ code: 'E0238', message: 'public_key has letters that no key has', at: ['public_key'], hint }]
}

/** One bridge per physical network and the reverse, as Neutron's agent demands of its `bridge_mappings`. */
function bridgeFindings(mappings: { readonly [physicalNetwork: string]: string }): Finding[] {
  const findings: Finding[] = []
  const seen = new Map<string, string>()
  for (const [physicalNetwork, bridge] of Object.entries(mappings)) {
    const at = ['bridge_mappings', physicalNetwork]
    const fault = interfaceNameFault(bridge)
    const other = seen.get(bridge)
    seen.set(bridge, physicalNetwork)
    if (fault !== undefined) {
      findings.push({
        code: 'E0232',
        message: `bridge ${JSON.stringify(bridge)} ${fault}`,
        at,
        hint: 'name an OVS bridge that exists on the host, such as br-ex',
      })
    } else if (bridge === INTEGRATION_BRIDGE) {
      const message = `${bridge} is Netloom’s own bridge and carries no physical network`
      findings.push({ code: 'E0232', message, at, hint: 'name the provider bridge that holds the NIC, such as br-ex' })
    } else if (other !== undefined) {
      const message = `bridge ${bridge} is mapped to both ${other} and ${physicalNetwork}`
      findings.push({ code: 'E0232', message, at, hint: 'give each physical network a bridge of its own' })
    }
  }
  return findings
}

/** A host mentions the physical networks it reaches, its zone, and where its tunnels end. */
export function hostReferences(spec: JsonObject): readonly Reference[] {
  const { bridge_mappings: mappings = {}, availability_zone: zone = DEFAULT_ZONE, tunnel_ip } = spec as HostDeclared
  const networks = Object.keys(mappings).map(
    (name): Reference => ({ kind: PHYSICAL_NETWORK, name, at: ['bridge_mappings', name], open: true }),
  )
  const address: Reference[] = tunnel_ip === undefined ? [] : [{ kind: TUNNEL_ADDRESS, name: tunnel_ip, at: ['tunnel_ip'], open: true }]
  return [...networks, ...address, { kind: AVAILABILITY_ZONE, name: zone, at: ['availability_zone'], open: true }]
}

export function checkHost(resource: Declared, view: View): readonly Finding[] {
  return [...nameFindings(resource.name), ...tunnelFindings(resource, view)]
}

/** A host that no agent can be started as would wait for ever. */
function nameFindings(name: string): Finding[] {
  if (isHostName(name)) return []
  const message = `host ${JSON.stringify(name)}: ${HOST_NAME_RULE}`
  return [{ code: 'E0236', message, at: [], hint: 'name it as the machine is called, e.g. compute-7.example' }]
}

function tunnelFindings(resource: Declared, view: View): readonly Finding[] {
  const { tunnel_ip } = resource.spec as HostDeclared
  if (tunnel_ip === undefined) return []
  const wanted = view.site().overlay_ip_version
  const family = parseIp(tunnel_ip)?.family
  if (family === wanted) return []
  const message = `tunnel_ip ${tunnel_ip} of host ${resource.name} is IPv${family}, but the site’s overlay_ip_version is ${wanted}`
  return [
    { code: 'E0230', message, at: ['tunnel_ip'], hint: `write an IPv${wanted} address, or overlay_ip_version: ${family} in netloom.yaml` },
  ]
}
