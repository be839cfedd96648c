import type { NetworkDeclared } from '../../../schemas/network.ts'
import { didYouMean } from '../../lib/suggest.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import type { Key } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import { AVAILABILITY_ZONE, PHYSICAL_NETWORK } from '../host/spec.ts'
import type { Normalised, Reference, Site, View } from '../kind.ts'
import { subnetFamily } from '../subnet/source.ts'
import { listFindings, segmentFindings } from './check-segments.ts'
import { SMALLEST_MTU } from './mtu.ts'
import { isClaimed, segmentWishes } from './segment.ts'
import type { TypeDrivers } from './type-driver.ts'

/** Rules that need no other resource. `mtu: 0` is Neutron's way to write "computed". */
export function normaliseNetwork(spec: JsonObject, types: TypeDrivers): Normalised {
  const network = spec as NetworkDeclared
  const findings = [...segmentWishes(network).flatMap((wish) => segmentFindings(wish, types)), ...listFindings(network)]
  const { mtu, ...rest } = spec
  if (mtu === 0) return { spec: rest, findings }
  if (network.mtu !== undefined && network.mtu < SMALLEST_MTU[4]) {
    const message = `mtu ${network.mtu} is below ${SMALLEST_MTU[4]}, the least that IPv4 works with`
    findings.push({ code: 'E0209', message, at: ['mtu'], hint: 'leave mtu out to get the most the network type can carry' })
  }
  return { spec, findings }
}

/** A network mentions the physical networks and the zones it wants; hosts and the site file say which exist. */
export function networkReferences(spec: JsonObject): readonly Reference[] {
  const network = spec as NetworkDeclared
  const references: Reference[] = []
  for (const { written, at } of segmentWishes(network)) {
    const name = written.physical_network
    if (name !== undefined) references.push({ kind: PHYSICAL_NETWORK, name, at: [...at, 'physical_network'], open: true })
  }
  network.availability_zone_hints?.forEach((zone, i) => {
    references.push({ kind: AVAILABILITY_ZONE, name: zone, at: ['availability_zone_hints', i], open: true })
  })
  return references
}

/** A written number is claimed, and so is the physical network of a flat network. */
export function networkClaims(spec: JsonObject, types: TypeDrivers): boolean {
  return segmentWishes(spec as NetworkDeclared).some((wish) => isClaimed(wish, types))
}

/** Code of a type of network that the site does not use. */
export const UNUSED_TYPE = 'E0201'

/** Rules that need the site and the hosts. */
export function checkNetwork(resource: Declared, view: View, types: TypeDrivers): readonly Finding[] {
  const network = resource.spec as NetworkDeclared
  const site = view.site()
  const findings: Finding[] = []
  for (const { written, at } of segmentWishes(network)) {
    const { network_type: type, physical_network: physnet } = written
    if (type !== undefined && !site.type_drivers.includes(type)) {
      const message = `network_type ${type} is not in use here; type_drivers has ${site.type_drivers.join(', ') || 'none'}`
      const hint = `write one of these, or add ${type} to type_drivers in netloom.yaml`
      findings.push({ code: UNUSED_TYPE, message, at: [...at, 'network_type'], hint })
    }
    if (physnet !== undefined && types.get(type ?? '')?.physical_network !== 'none')
      findings.push(...physicalNetworkFindings(physnet, type, at, view))
  }
  return [...findings, ...zoneFindings(network, view)]
}

/** A zone is where some host is (Neutron: B3.18, an unknown zone is an error). */
function zoneFindings({ availability_zone_hints: zones = [] }: NetworkDeclared, view: View): Finding[] {
  return zones.flatMap((zone, i) => {
    if (view.users(view.ref(AVAILABILITY_ZONE, zone), 'host').length > 0) return []
    const known = view.mentioned(AVAILABILITY_ZONE, 'host')
    const near = didYouMean(zone, known)
    const message = `availability zone ${zone} has no host; there are ${known.join(', ') || 'none'}`
    const hint = near === undefined ? `write one of these, or availability_zone: ${zone} on a host` : `did you mean ${near}?`
    return [{ code: 'E0275', message, at: ['availability_zone_hints', i], hint }]
  })
}

function physicalNetworkFindings(physnet: string, type: string | undefined, within: ValuePath, view: View): Finding[] {
  const site = view.site()
  const at = [...within, 'physical_network']
  const known = new Set([...sitePhysicalNetworks(site), ...(site.flat_networks.includes('*') ? [] : site.flat_networks)])
  if (!known.has(physnet) && view.users(view.ref(PHYSICAL_NETWORK, physnet), 'host').length === 0) {
    const candidates = [...known, ...view.mentioned(PHYSICAL_NETWORK, 'host')]
    const near = didYouMean(physnet, candidates)
    const message = `physical_network ${physnet} is known to no host and not in the site file`
    const hint = near === undefined ? `add it to the bridge_mappings of the hosts that reach it` : `did you mean ${near}?`
    return [{ code: 'E0205', message, at, hint }]
  }
  if (type !== 'flat' || site.flat_networks.includes('*') || site.flat_networks.includes(physnet)) return []
  const message = `physical_network ${physnet} may not carry a flat network; flat_networks has ${site.flat_networks.join(', ') || 'none'}`
  return [{ code: 'E0207', message, at, hint: `add ${physnet} to flat_networks in netloom.yaml` }]
}

function sitePhysicalNetworks(site: Site): readonly string[] {
  return [...site.network_vlan_ranges.map((r) => r.physical_network), ...Object.keys(site.physical_network_mtus)]
}

/** IP families of the network's subnets, each with the first subnet that has it; from what is written, so that subnets may depend on networks. */
export function subnetFamilies(network: Key, view: View): ReadonlyMap<4 | 6, Declared> {
  const families = new Map<4 | 6, Declared>()
  for (const key of view.users(network, 'subnet')) {
    const subnet = view.declared(key)
    if (subnet === undefined) continue
    const family = subnetFamily(subnet, view)
    if (!families.has(family)) families.set(family, subnet)
  }
  return families
}
