import type { RouterDeclared } from '../../../schemas/router.ts'
import { parseIp } from '../../lib/ip.ts'
import type { ValuePath } from '../../model/issue.ts'
import { type Key, keyParts } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { View } from '../kind.ts'
import type { PortSpec } from '../port/spec.ts'
import type { SubnetSpec } from '../subnet/spec.ts'

/** A subnet that a router is on, by which entry of `interfaces`, and under which address; undefined where the subnet has none to give. */
export interface Joined {
  readonly subnet: Resource<SubnetSpec>
  readonly network: Key
  readonly at: ValuePath
  readonly port?: Resource<PortSpec>
  readonly address: string | undefined
}

/** In the order of `interfaces`; a port has a place for each of its addresses. */
export function joinedSubnets(resource: Declared, view: View): readonly Joined[] {
  const { interfaces = [] } = resource.spec as RouterDeclared
  return interfaces.flatMap(({ subnet: name, port: portName }, i): Joined[] => {
    if (name !== undefined) {
      const subnet = view.need<SubnetSpec>(view.ref('subnet', name))
      const address = subnet.spec.gateway_ip ?? undefined
      return [{ subnet, network: networkOf(subnet), at: ['interfaces', i, 'subnet'], address }]
    }
    if (portName === undefined) return []
    const port = view.need<PortSpec>(view.ref('port', portName))
    return port.spec.fixed_ips.map((ip): Joined => {
      const subnet = view.need<SubnetSpec>(refFrom(port, 'subnet', ip.subnet))
      return { subnet, network: networkOf(subnet), at: ['interfaces', i, 'port'], port, address: ip.ip_address }
    })
  })
}

export function networkOf(subnet: Resource<SubnetSpec>): Key {
  return refFrom(subnet, 'network', subnet.spec.network)
}

/** A name as a resource of another project writes it. */
function refFrom({ project }: Pick<Resource, 'project'>, kind: string, name: string): Key {
  return (name.includes('/') ? `${kind}/${name}` : `${kind}/${project}/${name}`) as Key
}

/** How the router's project calls a resource. */
export function nameFrom(resource: Pick<Declared, 'project'>, key: Key): string {
  const { project, name } = keyParts(key)
  return project === resource.project ? name : `${project}/${name}`
}

/** IPv4 before IPv6, then by value. */
export function byAddress(a: string, b: string): number {
  const [x, y] = [parseIp(a), parseIp(b)]
  if (x === undefined || y === undefined) return 0
  return x.family - y.family || (x.value < y.value ? -1 : x.value > y.value ? 1 : 0)
}
