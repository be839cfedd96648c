import { parseCidr } from '../../../../src/lib/cidr.ts'
import { type IpFamily, parseIp } from '../../../../src/lib/ip.ts'
import { macValue } from '../../../../src/lib/mac.ts'
import { makeMatch } from '../flow/make.ts'
import type { FieldValue, Match } from '../flow/types.ts'

/** Matches that come up again and again, in normal form, each with the fields that OpenFlow demands before it. */
export const ARP: Match = makeMatch({ eth_type: 0x0806 })
export const ARP_REQUEST: Match = makeMatch({ eth_type: 0x0806, arp_op: 1 })
export const RARP: Match = makeMatch({ eth_type: 0x8035 })
export const IP: Match = makeMatch({ eth_type: 0x0800 })
export const IPV6: Match = makeMatch({ eth_type: 0x86dd })
const UDP: Match = makeMatch({ eth_type: 0x0800, ip_proto: 17 })
const UDP6: Match = makeMatch({ eth_type: 0x86dd, ip_proto: 17 })
const ICMP6: Match = makeMatch({ eth_type: 0x86dd, ip_proto: 58 })
/** Router solicitation, router advertisement, neighbour solicitation, neighbour advertisement, redirect (RFC 4861). */
export const RS: Match = icmp6(133)
export const RA: Match = icmp6(134)
export const NS: Match = icmp6(135)
export const NA: Match = icmp6(136)
export const REDIRECT6: Match = icmp6(137)
/** RFC 792. */
export const REDIRECT4: Match = makeMatch({ eth_type: 0x0800, ip_proto: 1, icmp_type: 5 })
/** A part of a packet; a part that is not the first. */
export const FRAGMENT: Match = { ip_frag: { value: 1n, mask: 1n } }
export const LATER_FRAGMENT: Match = { ip_frag: { value: 3n } }

export const UNTAGGED: Match = { vlan_tci: { value: 0n, mask: 0x1fffn } }
export const TO_GROUP: Match = makeMatch({ eth_dst: '01:00:00:00:00:00/01:00:00:00:00:00' })
export const FROM_GROUP: Match = makeMatch({ eth_src: '01:00:00:00:00:00/01:00:00:00:00:00' })

/** What is known of a frame's connection, with more besides: `+est+trk`. */
export function ct(state: string, more: Match = {}): Match {
  return { ...makeMatch({ ct_state: state }), ...more }
}

export function icmp6(type: number): Match {
  return { ...ICMP6, icmpv6_type: { value: BigInt(type) } }
}

/** A datagram from one port to another. */
export function udp(family: IpFamily, from: number, to: number): Match {
  return { ...(family === 4 ? UDP : UDP6), udp_src: { value: BigInt(from) }, udp_dst: { value: BigInt(to) } }
}

/** A datagram to a port, from whichever. */
export function udpTo(family: IpFamily, to: number): Match {
  return { ...(family === 4 ? UDP : UDP6), udp_dst: { value: BigInt(to) } }
}

/** A frame with that VLAN id; OpenFlow's VID carries the "present" bit above the 12. */
export function tagged(vlan: number): Match {
  return makeMatch({ vlan_vid: 0x1000 + vlan })
}

export function macMatch(mac: string): FieldValue {
  return { value: BigInt(macValue(mac)) }
}

/** An address or a prefix as a field. Throws for text that no intent can hold. `field` is absent for a prefix of length 0: any address. */
export function prefixMatch(text: string): { readonly family: IpFamily; readonly field?: FieldValue } {
  const slash = text.indexOf('/')
  if (slash < 0 || text.endsWith('/128') || text.endsWith('/32')) {
    const ip = parseIp(slash < 0 ? text : text.slice(0, slash))
    if (ip !== undefined && (slash < 0 || text.endsWith(ip.family === 4 ? '/32' : '/128')))
      return { family: ip.family, field: { value: ip.value } }
  }
  const cidr = parseCidr(text)?.cidr
  if (cidr === undefined) throw new Error(`an intent holds "${text}", which is no prefix`)
  if (cidr.prefix === 0) return { family: cidr.family }
  const bits = BigInt(cidr.family === 4 ? 32 : 128)
  const mask = ((1n << BigInt(cidr.prefix)) - 1n) << (bits - BigInt(cidr.prefix))
  return { family: cidr.family, field: { value: cidr.first, mask } }
}

/** One address as a field. */
export function addressMatch(text: string): { readonly family: IpFamily; readonly field: FieldValue } {
  const ip = parseIp(text)
  if (ip === undefined) throw new Error(`an intent holds "${text}", which is no address`)
  return { family: ip.family, field: { value: ip.value } }
}
