import type { PortSpec } from '../kinds/port/spec.ts'
import type { SubnetSpec } from '../kinds/subnet/spec.ts'
import { parseCidr, prefixContains } from '../lib/cidr.ts'
import { parseIp } from '../lib/ip.ts'
import type { LegIntent, RouteIntent } from '../model/intent.ts'
import { type Key, namedKey } from '../model/key.ts'
import type { Resource } from '../model/resource.ts'
import type { World } from '../server/engine/types.ts'

/** The routers of a world, as guests see them. Told from what the hosts are asked for, not from any flow. */
export interface LabRoutes {
  /** The gateways of a port's subnets that are addresses of routers; at most one of each IP version. */
  gatewaysOf(port: Resource<PortSpec>): readonly string[]
  /** The network to which routers bring what the port sends to an address; undefined: none. */
  networkFor(port: Resource<PortSpec>, address: string): Key | undefined
}

/** More routers than any packet may pass. */
const MOST_HOPS = 32

export function labRoutes(world: World): LabRoutes {
  const intents = [...world.scopes.values()].flatMap((scope) => [...scope.intents.values()])
  const up = new Set(intents.flatMap((i) => (i.type === 'router' && i.admin_state_up ? [i.router] : [])))
  const legs = intents.filter((i) => i.type === 'leg').filter((l) => up.has(l.router))
  const routes = intents.filter((i) => i.type === 'route')
  const legAt = (network: Key, address: string): LegIntent | undefined =>
    legs.find((l) => l.network === network && l.addresses.some((a) => a.slice(0, a.indexOf('/')) === address))
  const gatewaysOf = (port: Resource<PortSpec>): readonly string[] => {
    const network = namedKey('network', port.project, port.spec.network)
    const byFamily = new Map<boolean, string>()
    for (const { subnet } of port.spec.fixed_ips) {
      const gateway = (world.resources.get(namedKey('subnet', port.project, subnet)) as Resource<SubnetSpec> | undefined)?.spec.gateway_ip
      if (typeof gateway === 'string' && legAt(network, gateway) !== undefined && !byFamily.has(gateway.includes(':')))
        byFamily.set(gateway.includes(':'), gateway)
    }
    return [...byFamily.values()]
  }
  const forwarded = (router: Key, address: string, hops: number): Key | undefined => {
    const best = wayTo(
      legs.filter((l) => l.router === router),
      routes.filter((r) => r.router === router),
      address,
    )
    if (best === undefined || hops === 0) return undefined
    const other = legAt(best.network, best.next)
    return other === undefined ? best.network : forwarded(other.router, address, hops - 1)
  }
  return {
    gatewaysOf,
    networkFor(port, address) {
      const network = namedKey('network', port.project, port.spec.network)
      const gateway = gatewaysOf(port).find((g) => g.includes(':') === address.includes(':'))
      const first = gateway === undefined ? undefined : legAt(network, gateway)
      return first === undefined ? undefined : forwarded(first.router, address, MOST_HOPS)
    },
  }
}

/** The longest prefix of a router that holds the address. */
function wayTo(legs: readonly LegIntent[], routes: readonly RouteIntent[], address: string): { network: Key; next: string } | undefined {
  const to = parseIp(address)
  if (to === undefined) return undefined
  const ways = [
    ...legs.flatMap(({ network, addresses }) => addresses.map((prefix) => ({ prefix, network, next: address }))),
    ...routes.flatMap(({ destination, nexthops }) =>
      nexthops.map(({ address: next, network }) => ({ prefix: destination, network, next })),
    ),
  ]
  const length = (prefix: string): number => parseCidr(prefix)?.cidr.prefix ?? -1
  return ways.filter(({ prefix }) => prefixContains(prefix, to)).sort((a, b) => length(b.prefix) - length(a.prefix))[0]
}
