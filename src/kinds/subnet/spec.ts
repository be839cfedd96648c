import { type Cidr, parseCidr } from '../../lib/cidr.ts'

export type Ipv6Mode = 'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless'

/** A resolved subnet. Addresses and prefixes are canonical text. */
export type SubnetSpec = {
  /** As written: name or project/name. */
  readonly network: string
  readonly cidr: string
  /** The pool it comes from, a default pool too: name or project/name. */
  readonly subnetpool?: string
  readonly ip_version: 4 | 6
  readonly gateway_ip: string | null
  readonly allocation_pools: readonly AllocationPool[]
  readonly enable_dhcp: boolean
  readonly dns_nameservers: readonly string[]
  readonly host_routes: readonly HostRoute[]
  readonly ipv6_ra_mode?: Ipv6Mode
  readonly ipv6_address_mode?: Ipv6Mode
  readonly description: string
}

export type AllocationPool = { readonly start: string; readonly end: string }
export type HostRoute = { readonly destination: string; readonly nexthop: string }

/** The prefix of a subnet that was resolved, or whose declaration passed `normalise`. */
export function subnetCidr(spec: { readonly cidr: string }): Cidr {
  const parsed = parseCidr(spec.cidr)
  if (parsed === undefined) throw new Error(`a subnet got past its checks with cidr ${spec.cidr}`)
  return parsed.cidr
}

/** True when hosts make their own addresses from the prefix and their MAC: slaac or dhcpv6-stateless in either mode (Neutron's `is_auto_address_subnet`). */
export function isAutoAddress(spec: { readonly ipv6_address_mode?: Ipv6Mode; readonly ipv6_ra_mode?: Ipv6Mode }): boolean {
  return [spec.ipv6_address_mode, spec.ipv6_ra_mode].some((mode) => mode === 'slaac' || mode === 'dhcpv6-stateless')
}
