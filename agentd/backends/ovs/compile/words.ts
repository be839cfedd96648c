import type { MatchInput } from '../flow/make.ts'

/** Matches that come up again and again, each with the fields that OpenFlow demands before it. */
export const ARP: MatchInput = { eth_type: 0x0806 }
export const RARP: MatchInput = { eth_type: 0x8035 }
export const IP: MatchInput = { eth_type: 0x0800 }
export const IPV6: MatchInput = { eth_type: 0x86dd }
export const UDP: MatchInput = { ...IP, ip_proto: 17 }
export const UDP6: MatchInput = { ...IPV6, ip_proto: 17 }
export const ICMP6: MatchInput = { ...IPV6, ip_proto: 58 }
/** Router solicitation, router advertisement, neighbour solicitation, neighbour advertisement (RFC 4861). */
export const RS: MatchInput = { ...ICMP6, icmpv6_type: 133 }
export const RA: MatchInput = { ...ICMP6, icmpv6_type: 134 }
export const NS: MatchInput = { ...ICMP6, icmpv6_type: 135 }
export const NA: MatchInput = { ...ICMP6, icmpv6_type: 136 }

export const UNTAGGED: MatchInput = { vlan_tci: { value: 0n, mask: 0x1fffn } }
export const MULTICAST: MatchInput = { eth_dst: '01:00:00:00:00:00/01:00:00:00:00:00' }
export const BROADCAST = 'ff:ff:ff:ff:ff:ff'

/** A frame with that VLAN id; OpenFlow's VID carries the "present" bit above the 12. */
export function tagged(vlan: number): MatchInput {
  return { vlan_vid: 0x1000 + vlan }
}
