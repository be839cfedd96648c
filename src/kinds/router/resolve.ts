import type { RouterDeclared } from '../../../schemas/router.ts'
import type { Finding } from '../../model/issue.ts'
import { compareText, type Key } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import { nameHolders, takenFinding } from '../findings.ts'
import type { Pools, Resolved, View } from '../kind.ts'
import { ANY_MAC, ipPool, macPool, macRange } from '../pools.ts'
import type { FixedIp } from '../port/spec.ts'
import { byAddress, type Joined, joinedSubnets, nameFrom } from './legs.ts'
import type { RouterLeg, RouterSpec } from './spec.ts'

/** Only gateway addresses are claimed; MACs are chosen, and a port has its own. */
export function routerClaims(spec: object): boolean {
  return ((spec as RouterDeclared).interfaces ?? []).some((i) => i.subnet !== undefined)
}

/** Where subnets join a network, the router is there under one MAC, with the gateway_ip of each of them. `check` has made sure that all have one. */
export function resolveRouter(resource: Declared, view: View, pools: Pools): Resolved<RouterSpec> {
  const { interfaces = [], routes = [], admin_state_up = true, description = '' } = resource.spec as RouterDeclared
  const joined = joinedSubnets(resource, view)
  const findings: Finding[] = joined.flatMap((j) => claimGateway(resource, j, pools))
  const networks = new Map<Key, FixedIp[]>()
  const ports = new Map<Key, RouterLeg>()
  for (const { subnet, network, port, address = '' } of joined) {
    const ip = { subnet: nameFrom(resource, subnet.key), ip_address: address }
    const leg = port === undefined ? undefined : ports.get(port.key)
    if (port === undefined) networks.set(network, [...(networks.get(network) ?? []), ip])
    else
      ports.set(port.key, {
        network: nameFrom(resource, network),
        port: port.name,
        mac_address: port.spec.mac_address,
        fixed_ips: sorted([...(leg?.fixed_ips ?? []), ip]),
      })
  }
  const own = [...networks].map(([network, ips]): RouterLeg => {
    const mac = allocateMac(resource, network, view, pools)
    findings.push(...mac.findings)
    return { network: nameFrom(resource, network), mac_address: mac.text, fixed_ips: sorted(ips) }
  })
  const legs = [...own, ...ports.values()].sort((a, b) => compareText(a.network, b.network) || compareText(a.port ?? '', b.port ?? ''))
  const spec: RouterSpec = {
    interfaces: interfaces
      .map(({ subnet, port }) => ({ ...(subnet === undefined ? {} : { subnet }), ...(port === undefined ? {} : { port }) }))
      .sort((a, b) => compareText(idOf(a), idOf(b))),
    legs,
    routes: [...routes]
      .sort((a, b) => compareText(a.destination, b.destination) || compareText(a.nexthop, b.nexthop))
      .map(({ destination, nexthop }) => ({ destination, nexthop })),
    admin_state_up,
    description,
  }
  return { spec, findings }
}

function idOf({ subnet, port }: { readonly subnet?: string; readonly port?: string }): string {
  return subnet === undefined ? `port ${port}` : `subnet ${subnet}`
}

function sorted(ips: readonly FixedIp[]): readonly FixedIp[] {
  return [...ips].sort((a, b) => byAddress(a.ip_address, b.ip_address))
}

function claimGateway(resource: Declared, { subnet, port, address, at }: Joined, pools: Pools): readonly Finding[] {
  if (port !== undefined || address === undefined) return []
  const claim = pools.claim(ipPool(subnet.key), address)
  if (claim.ok || claim.reason !== 'taken') return []
  const byRouter = claim.holder.startsWith('router/')
  return [
    takenFinding(claim, {
      code: 'E0410',
      message: `${address}, the gateway_ip of subnet ${subnet.name}, on which router ${resource.name} is to be, is in use`,
      at,
      holderAt: [byRouter ? 'interfaces' : 'fixed_ips'],
      hint: 'write { port: NAME } with a port that has another address of the subnet, or free this one',
    }),
  ]
}

function allocateMac(
  resource: Declared,
  network: Key,
  view: View,
  pools: Pools,
): { readonly text: string; readonly findings: readonly Finding[] } {
  const { base_mac } = view.site()
  const claim = pools.allocate(macPool(network), [macRange(base_mac)], { keep: () => [ANY_MAC] })
  if (claim.ok) return { text: claim.value, findings: [] }
  const used = claim.reason === 'full' ? `${claim.used} of ${claim.size} in use (${nameHolders(claim.holders)})` : 'none free'
  const message = `no free MAC address for router ${resource.name} on ${nameFrom(resource, network)} from base_mac ${base_mac}: ${used}`
  return {
    text: base_mac,
    findings: [{ code: 'E0418', message, hint: 'write a base_mac with a wider range in netloom.yaml' }],
  }
}
