import type { Site } from '../kind.ts'

/** The largest MTU a network can have, and how that came about, for people: `1450 = 1500 (global_physnet_mtu) − 20 (IPv4) − 30 (VXLAN)`. */
export interface MaximumMtu {
  readonly mtu: number
  readonly arithmetic: string
}

interface Header {
  readonly bytes: number
  readonly name: string
}

/** What the hosts' own links carry; for networks that leave no host (Neutron's `_get_network_mtu`, B3.4). */
export function globalMtu(site: Site): MaximumMtu {
  return result(globalOf(site), [])
}

/** flat and vlan: what the physical network carries. */
export function physicalMtu(site: Site, physicalNetwork: string | undefined): MaximumMtu {
  const global = globalOf(site)
  const own = physicalNetwork === undefined ? undefined : site.physical_network_mtus[physicalNetwork]
  return result(own !== undefined && own < global.mtu ? { mtu: own, name: `physical_network_mtus: ${physicalNetwork}` } : global, [])
}

/** Tunnels: the path between hosts, less IP and the tunnel's own headers. */
export function tunnelMtu(site: Site, header: Header): MaximumMtu {
  return packedMtu(site, site.overlay_ip_version, header)
}

/** The same for whatever is sent between addresses of that version. */
export function packedMtu(site: Site, family: 4 | 6, header: Header): MaximumMtu {
  const global = globalOf(site)
  const path = site.path_mtu > 0 && site.path_mtu < global.mtu ? { mtu: site.path_mtu, name: 'path_mtu' } : global
  const ip = family === 4 ? { bytes: 20, name: 'IPv4' } : { bytes: 40, name: 'IPv6' }
  return result(path, [ip, header])
}

function globalOf(site: Site): { readonly mtu: number; readonly name: string } {
  return { mtu: site.global_physnet_mtu, name: 'global_physnet_mtu' }
}

function result(from: { mtu: number; name: string }, headers: readonly Header[]): MaximumMtu {
  const mtu = headers.reduce((left, h) => left - h.bytes, from.mtu)
  const arithmetic = [`${mtu} = ${from.mtu} (${from.name})`, ...headers.map((h) => `− ${h.bytes} (${h.name})`)].join(' ')
  return { mtu, arithmetic }
}

/** The smallest MTU IP works with: RFC 791 and RFC 8200. */
export const SMALLEST_MTU: Readonly<Record<4 | 6, number>> = { 4: 68, 6: 1280 }
