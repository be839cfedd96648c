import type { Site } from '../../kinds/kind.ts'
import { globalMtu, physicalMtu, tunnelMtu } from '../../kinds/network/mtu.ts'
import type { TypeDriver, TypeRange } from '../../kinds/network/type-driver.ts'
import type { TunnelType } from '../../model/intent.ts'

/** Neutron's ML2 type drivers (B3.4, B3.6). */

const local: TypeDriver = {
  type: 'local',
  summary: 'Stays on one host: ports on different hosts are not connected.',
  carriage: 'local',
  physical_network: 'none',
  automatic: true,
  candidates: () => [{}],
  maximumMtu: globalMtu,
}

const flat: TypeDriver = {
  type: 'flat',
  summary: 'Untagged on a physical network; one for each.',
  carriage: 'flat',
  physical_network: 'required',
  // Neutron never gives one to a project that did not ask for it.
  automatic: false,
  candidates: () => [],
  maximumMtu: physicalMtu,
}

const vlan: TypeDriver = {
  type: 'vlan',
  summary: 'A VLAN of a physical network.',
  carriage: 'vlan',
  physical_network: 'with-number',
  numbers: { first: 1, last: 4094 },
  automatic: true,
  candidates(site, physnet) {
    const names = [...new Set(site.network_vlan_ranges.map((r) => r.physical_network))]
    return names
      .filter((name) => physnet === undefined || name === physnet)
      .map((name) => ({ physical_network: name, ranges: site.network_vlan_ranges.filter((r) => r.physical_network === name) }))
  },
  maximumMtu: physicalMtu,
}

/** Outer headers besides IP: Ethernet 14 + UDP 8 + VXLAN 8. */
const VXLAN_OVERHEAD = 30
/** Ethernet 14 + GRE with key 8. */
const GRE_OVERHEAD = 22
const LAST_VNI = 16_777_215
const LAST_GRE_KEY = 4_294_967_295

/** Types that are carried between the hosts' tunnel addresses differ in their numbers and headers only. */
function tunnel(
  type: TunnelType,
  summary: string,
  last: number,
  given: {
    readonly ranges: (site: Site) => readonly TypeRange[]
    readonly header: (site: Site) => { readonly bytes: number; readonly name: string }
  },
): TypeDriver {
  return {
    type,
    summary,
    carriage: type,
    physical_network: 'none',
    numbers: { first: 1, last },
    automatic: true,
    candidates: (site) => [{ ranges: given.ranges(site) }],
    maximumMtu: (site) => tunnelMtu(site, given.header(site)),
  }
}

const vxlan = tunnel('vxlan', 'A VXLAN between the hosts’ tunnel addresses.', LAST_VNI, {
  ranges: (site) => site.vni_ranges,
  header: () => ({ bytes: VXLAN_OVERHEAD, name: 'VXLAN' }),
})

const geneve = tunnel('geneve', 'A Geneve tunnel between the hosts’ tunnel addresses.', LAST_VNI, {
  ranges: (site) => site.geneve_ranges,
  header: (site) => ({ bytes: site.geneve_max_header_size, name: 'Geneve' }),
})

const gre = tunnel('gre', 'A GRE tunnel with a key between the hosts’ tunnel addresses.', LAST_GRE_KEY, {
  ranges: (site) => site.tunnel_id_ranges,
  header: () => ({ bytes: GRE_OVERHEAD, name: 'GRE' }),
})

export const TYPE_DRIVERS: readonly TypeDriver[] = [local, flat, vlan, vxlan, geneve, gre]
