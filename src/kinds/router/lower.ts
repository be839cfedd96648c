import { groupBy } from '../../lib/group-by.ts'
import type { Advertised, LegIntent, RouteIntent, RouterIntent } from '../../model/intent.ts'
import { compareText } from '../../model/key.ts'
import type { Resource } from '../../model/resource.ts'
import { intentKey, networkScope, routerScope } from '../../model/scope.ts'
import { type Lowered, NOTHING, type View } from '../kind.ts'
import { type SubnetSpec, subnetCidr } from '../subnet/spec.ts'
import { networkToward } from './check.ts'
import { joinedSubnets } from './legs.ts'
import type { RouterLeg, RouterSpec } from './spec.ts'

/** A scope of its own, and the ways to it from its networks and on to the others: whoever has a port on one of them routes to all. */
export function lowerRouter({ key, spec }: Resource<RouterSpec>, view: View): Lowered {
  if (spec.legs.length === 0) return NOTHING
  const scope = routerScope(key)
  const declared = view.declared(key)
  const joined = declared === undefined ? [] : joinedSubnets(declared, view)
  const router: RouterIntent = { admin_state_up: spec.admin_state_up, router: key, type: 'router' }
  const legs = spec.legs.map((leg): LegIntent => {
    const network = view.ref('network', leg.network)
    const advertised = advertisedOn(leg, view)
    const addresses = leg.fixed_ips.map((ip) => withPrefix(ip, view))
    return { addresses, ...(advertised === undefined ? {} : { advertised }), mac: leg.mac_address, network, router: key, type: 'leg' }
  })
  const routes = [...groupBy(spec.routes, (r) => r.destination)].flatMap(([destination, ways]): RouteIntent[] => {
    const nexthops = ways.flatMap(({ nexthop }) => {
      const network = networkToward(nexthop, joined)
      return network === undefined ? [] : [{ address: nexthop, network }]
    })
    return nexthops.length === 0 ? [] : [{ destination, nexthops, router: key, type: 'route' }]
  })
  const networks = [...new Set(legs.map((l) => networkScope(l.network)))]
  return {
    intents: [
      { scope, key: intentKey('router', key), intent: router },
      ...legs.map((leg, i) => ({ scope, key: intentKey('leg', `${key} ${idOf(spec.legs[i])}`), intent: leg })),
      ...routes.map((route) => ({ scope, key: intentKey('route', `${key} ${route.destination}`), intent: route })),
    ],
    needs: [],
    ways: networks.flatMap((network) => [
      { from: network, to: scope },
      { from: scope, to: network },
    ]),
  }
}

function idOf(leg: RouterLeg | undefined): string {
  return leg?.port === undefined ? (leg?.network ?? '') : `${leg.network} ${leg.port}`
}

/** Neutron's radvd (B3.21): subnets without `ipv6_ra_mode` are not spoken of. */
function advertisedOn(leg: RouterLeg, view: View): Advertised | undefined {
  const subnets = leg.fixed_ips
    .map((ip) => view.need<SubnetSpec>(view.ref('subnet', ip.subnet)).spec)
    .filter((subnet) => subnet.ipv6_ra_mode !== undefined)
  if (subnets.length === 0) return undefined
  const modes = new Set(subnets.map((s) => s.ipv6_ra_mode))
  return {
    dns: [...new Set(subnets.flatMap((s) => s.dns_nameservers.filter((address) => address.includes(':'))))].slice(0, MOST_RESOLVERS),
    managed: modes.has('dhcpv6-stateful'),
    other: modes.has('dhcpv6-stateless'),
    prefixes: subnets
      .map((s) => ({ autonomous: s.ipv6_ra_mode !== 'dhcpv6-stateful', prefix: s.cidr }))
      .sort((a, b) => compareText(a.prefix, b.prefix)),
  }
}

const MOST_RESOLVERS = 3

function withPrefix({ subnet, ip_address: ip }: RouterLeg['fixed_ips'][number], view: View): string {
  return `${ip}/${subnetCidr(view.need<SubnetSpec>(view.ref('subnet', subnet)).spec).prefix}`
}
