import { globalMtu, physicalMtu, tunnelMtu } from '../../kinds/network/mtu.ts'
import type { TypeDriver } from '../../kinds/network/type-driver.ts'

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

const vxlan: TypeDriver = {
  type: 'vxlan',
  summary: 'A VXLAN between the hosts’ tunnel addresses.',
  carriage: 'vxlan',
  physical_network: 'none',
  numbers: { first: 1, last: LAST_VNI },
  automatic: true,
  candidates: (site) => [{ ranges: site.vni_ranges }],
  maximumMtu: (site) => tunnelMtu(site, { bytes: VXLAN_OVERHEAD, name: 'VXLAN' }),
}

const geneve: TypeDriver = {
  type: 'geneve',
  summary: 'A Geneve tunnel between the hosts’ tunnel addresses.',
  carriage: 'geneve',
  physical_network: 'none',
  numbers: { first: 1, last: LAST_VNI },
  automatic: true,
  candidates: (site) => [{ ranges: site.geneve_ranges }],
  maximumMtu: (site) => tunnelMtu(site, { bytes: site.geneve_max_header_size, name: 'Geneve' }),
}

const gre: TypeDriver = {
  type: 'gre',
  summary: 'A GRE tunnel with a key between the hosts’ tunnel addresses.',
  carriage: 'gre',
  physical_network: 'none',
  numbers: { first: 1, last: LAST_GRE_KEY },
  automatic: true,
  candidates: (site) => [{ ranges: site.tunnel_id_ranges }],
  maximumMtu: (site) => tunnelMtu(site, { bytes: GRE_OVERHEAD, name: 'GRE' }),
}

export const TYPE_DRIVERS: readonly TypeDriver[] = [local, flat, vlan, vxlan, geneve, gre]
