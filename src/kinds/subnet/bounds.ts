import type { Cidr } from '../../lib/cidr.ts'
import { FAMILY_BITS } from '../../lib/ip.ts'
import { type Range, subtractRanges } from '../../lib/ranges.ts'

/**
 * The addresses of a subnet that hosts can have (Neutron's `generate_pools`, B3.1): IPv4 without network and broadcast address, from /31 on all
 * of them; IPv6 without the network address, which belongs to routers (RFC 4291, 2.6.1); a single address is itself.
 */
export function hostBounds(cidr: Cidr): Range {
  const { first, last, family, prefix } = cidr
  if (prefix === FAMILY_BITS[family]) return { from: first, to: first }
  if (family === 6) return { from: first + 1n, to: last }
  return prefix >= 31 ? { from: first, to: last } : { from: first + 1n, to: last - 1n }
}

/** All hosts but the gateway, split around it; a single address stays even when it is the gateway. */
export function defaultPools(cidr: Cidr, gateway: bigint | undefined): readonly Range[] {
  const bounds = hostBounds(cidr)
  if (gateway === undefined || cidr.prefix === FAMILY_BITS[cidr.family]) return [bounds]
  return subtractRanges([bounds], [{ from: gateway, to: gateway }])
}

/** IPv4, and whatever a pool chose: the first host. IPv6: the network address itself, as Neutron has it for a written cidr (B3.1). */
export function defaultGateway(cidr: Cidr, chosen: boolean): bigint {
  return cidr.family === 4 || chosen ? cidr.first + 1n : cidr.first
}
