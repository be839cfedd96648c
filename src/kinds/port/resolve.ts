import type { PortDeclared } from '../../../schemas/port.ts'
import { formatIp } from '../../lib/ip.ts'
import type { Finding } from '../../model/issue.ts'
import { compareText } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import { nameHolders, takenFinding } from '../findings.ts'
import type { HostSpec } from '../host/spec.ts'
import type { Pools, Resolved, View } from '../kind.ts'
import type { NetworkSpec } from '../network/spec.ts'
import { ANY_MAC, macPool, macRange } from '../pools.ts'
import { writtenHost } from '../trunk/parent.ts'
import { type Binders, type Binding, bindingOf, unbound, vnicTypeOf } from './binding.ts'
import { allocateChosen, automaticIps, claimWritten } from './fixed-ips.ts'
import { ipWishes, type PlacedIp } from './ip-wishes.ts'
import { writtenTarget } from './migration.ts'
import { claimInterfaces, resolvePlug } from './plug.ts'
import { securityOf } from './security-groups.ts'
import type { AddressPair, FixedIp, PortSpec } from './spec.ts'
import { subnetsOf } from './subnets.ts'
import type { PortPlace } from './usable.ts'

/** Everything written is claimed before anything is chosen (the pools' rule), and the MAC is chosen before addresses that follow from it. */
export function resolvePort(resource: Declared, binders: Binders, view: View, pools: Pools): Resolved<PortSpec> {
  const port = resource.spec as PortDeclared
  const network = view.need<NetworkSpec>(view.ref('network', port.network))
  const host = writtenHost(resource, view)
  const target = host === undefined ? undefined : writtenTarget(resource, view)
  const binding = bound(resource, { network, host }, binders, view)
  const wishes = ipWishes(resource, placeOf(host, binding), subnetsOf(network, resource.project, view), view)
  const plug = resolvePlug(resource)
  const ownMac = port.mac_address === undefined ? [] : claimMac(resource, port.mac_address, pools, macPool(network.key))
  const written = claimWritten(resource, wishes, pools)
  const interfaces = plug === undefined || port.host === undefined ? [] : claimInterfaces(resource, plug, port.host, pools)
  const mac =
    port.mac_address === undefined ? allocateMac(resource, view, pools, macPool(network.key)) : { text: port.mac_address, findings: ownMac }
  const chosen = allocateChosen(resource, wishes, pools)
  const automatic = automaticIps(resource, wishes, mac.text)
  const pairs = addressPairs(port, mac.text)
  const spec: PortSpec = {
    network: port.network,
    ...(host === undefined ? {} : { host }),
    ...(target === undefined ? {} : { migrating_to: target }),
    mac_address: mac.text,
    fixed_ips: sortedIps([...written.ips, ...chosen.ips, ...automatic.ips]),
    admin_state_up: port.admin_state_up ?? true,
    ...securityOf(port, network),
    allowed_address_pairs: pairs.pairs,
    ...(wishes.deferred === true ? { ip_allocation: 'deferred' } : {}),
    binding,
    device_id: port.device_id ?? '',
    device_owner: port.device_owner ?? '',
    ...(plug === undefined ? {} : { plug }),
    description: port.description ?? '',
  }
  const findings = [
    ...wishes.findings,
    ...mac.findings,
    ...written.findings,
    ...interfaces,
    ...chosen.findings,
    ...automatic.findings,
    ...pairs.findings,
  ]
  return { spec, findings }
}

function placeOf(host: string | undefined, { segment }: Binding): PortPlace {
  return { ...(host === undefined ? {} : { host }), ...(segment === undefined ? {} : { segment }) }
}

/** `check` has made sure that it can be bound. */
function bound(
  resource: Declared,
  { network, host }: { readonly network: Resource<NetworkSpec>; readonly host: string | undefined },
  binders: Binders,
  view: View,
): Binding {
  const result = host === undefined ? undefined : bindingOf(resource, network, view.need<HostSpec>(view.ref('host', host)), binders)
  return result?.ok === true ? result.binding : unbound(vnicTypeOf(resource), binders)
}

function claimMac(resource: Declared, mac: string, pools: Pools, pool: string): readonly Finding[] {
  const claim = pools.claim(pool, mac)
  if (claim.ok || claim.reason !== 'taken') return []
  const { network } = resource.spec as PortDeclared
  const at = ['mac_address']
  const message = `mac_address ${mac} of port ${resource.name} is in use on network ${network}`
  return [takenFinding(claim, { code: 'E0221', message, at, holderAt: at, hint: 'write another one, or leave it out to get a free one' })]
}

function allocateMac(
  resource: Declared,
  view: View,
  pools: Pools,
  pool: string,
): { readonly text: string; readonly findings: readonly Finding[] } {
  const { base_mac } = view.site()
  const claim = pools.allocate(pool, [macRange(base_mac)], { keep: () => [ANY_MAC] })
  if (claim.ok) return { text: claim.value, findings: [] }
  const used = claim.reason === 'full' ? `${claim.used} of ${claim.size} in use (${nameHolders(claim.holders)})` : 'none free'
  const message = `no free MAC address for port ${resource.name} from base_mac ${base_mac}: ${used}`
  return {
    text: base_mac,
    findings: [{ code: 'E0402', message, hint: 'write a base_mac with a wider range in netloom.yaml, or a mac_address' }],
  }
}

/** IPv4 before IPv6, then by value: the order in the file is no difference. */
function sortedIps(ips: readonly PlacedIp[]): readonly FixedIp[] {
  return [...ips]
    .sort((a, b) => a.ip.family - b.ip.family || (a.ip.value < b.ip.value ? -1 : a.ip.value > b.ip.value ? 1 : 0))
    .map(({ subnet, ip }) => ({ subnet: subnet.name, ip_address: formatIp(ip.family, ip.value) }))
}

/** A set, as Neutron compares it. */
function comparePairs(a: AddressPair, b: AddressPair): number {
  return compareText(a.ip_address, b.ip_address) || compareText(a.mac_address, b.mac_address)
}

/** A pair without MAC has the port's own; two pairs may turn out to be the same only then. */
function addressPairs(port: PortDeclared, mac: string): { readonly pairs: readonly AddressPair[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = []
  const seen = new Map<string, number>()
  const pairs = (port.allowed_address_pairs ?? []).map((p) => ({ ip_address: p.ip_address, mac_address: p.mac_address ?? mac }))
  pairs.forEach((pair, i) => {
    const id = `${pair.mac_address} ${pair.ip_address}`
    const first = seen.get(id)
    if (first === undefined) seen.set(id, i)
    else {
      const message = `allowed address pair ${pair.ip_address} with MAC ${pair.mac_address}, the port's own, is there twice (places ${first + 1} and ${i + 1})`
      findings.push({ code: 'E0226', message, at: ['allowed_address_pairs', i], hint: 'remove one' })
    }
  })
  return { pairs: pairs.sort(comparePairs), findings }
}
