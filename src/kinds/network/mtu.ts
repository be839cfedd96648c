import type { NetworkType } from '../../model/intent.ts'
import type { Site } from '../kind.ts'

/** The largest MTU a network can have, and how that came about, for people: `1450 = 1500 (global_physnet_mtu) − 20 (IPv4) − 30 (VXLAN)`. */
export interface MaximumMtu {
  readonly mtu: number
  readonly arithmetic: string
}

/** Outer headers besides IP: Ethernet 14 + UDP 8 + VXLAN 8, or Ethernet 14 + GRE with key 8 (Neutron's `type_*.py`, B3.4). */
const VXLAN_OVERHEAD = 30
const GRE_OVERHEAD = 22

/** Neutron's `_get_network_mtu`, B3.4. */
export function maximumMtu(site: Site, type: NetworkType, physicalNetwork: string | undefined): MaximumMtu {
  const global = { mtu: site.global_physnet_mtu, name: 'global_physnet_mtu' }
  if (type === 'local') return result(global, [])
  if (type === 'flat' || type === 'vlan') {
    const own = physicalNetwork === undefined ? undefined : site.physical_network_mtus[physicalNetwork]
    return result(own !== undefined && own < global.mtu ? { mtu: own, name: `physical_network_mtus: ${physicalNetwork}` } : global, [])
  }
  const path = site.path_mtu > 0 && site.path_mtu < global.mtu ? { mtu: site.path_mtu, name: 'path_mtu' } : global
  const ip = site.overlay_ip_version === 4 ? { bytes: 20, name: 'IPv4' } : { bytes: 40, name: 'IPv6' }
  const tunnel = { vxlan: VXLAN_OVERHEAD, gre: GRE_OVERHEAD, geneve: site.geneve_max_header_size }[type]
  return result(path, [ip, { bytes: tunnel, name: { vxlan: 'VXLAN', gre: 'GRE', geneve: 'Geneve' }[type] }])
}

function result(from: { mtu: number; name: string }, headers: readonly { bytes: number; name: string }[]): MaximumMtu {
  const mtu = headers.reduce((left, h) => left - h.bytes, from.mtu)
  const arithmetic = [`${mtu} = ${from.mtu} (${from.name})`, ...headers.map((h) => `− ${h.bytes} (${h.name})`)].join(' ')
  return { mtu, arithmetic }
}

/** The smallest MTU IP works with: RFC 791 and RFC 8200. */
export const SMALLEST_MTU: Readonly<Record<4 | 6, number>> = { 4: 68, 6: 1280 }
