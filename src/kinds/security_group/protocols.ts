import { didYouMean } from '../../lib/suggest.ts'

/** Neutron's names (its `IP_PROTOCOL_MAP`), besides `icmpv6`. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['ah', 51],
  ['dccp', 33],
  ['egp', 8],
  ['esp', 50],
  ['gre', 47],
  ['hopopt', 0],
  ['icmp', 1],
  ['icmpv6', 58],
  ['igmp', 2],
  ['ip', 0],
  ['ipip', 4],
  ['ipv6-encap', 41],
  ['ipv6-frag', 44],
  ['ipv6-icmp', 58],
  ['ipv6-nonxt', 59],
  ['ipv6-opts', 60],
  ['ipv6-route', 43],
  ['ospf', 89],
  ['pgm', 113],
  ['rsvp', 46],
  ['sctp', 132],
  ['tcp', 6],
  ['udp', 17],
  ['udplite', 136],
  ['vrrp', 112],
])

/** Each number's one name. 0 is two things, and stays a number. */
const NAMES: ReadonlyMap<number, string> = new Map(
  [...NUMBERS].filter(([name, number]) => number !== 0 && name !== 'icmpv6').map(([name, number]) => [number, name]),
)

export const ICMP = 1
export const ICMPV6 = 58

/** Protocols that come after an IPv6 header only. */
const IPV6_ONLY: ReadonlySet<number> = new Set([41, 43, 44, ICMPV6, 59, 60])

/** Protocols with ports (Neutron's `SG_PORT_PROTO_NUMS`). */
const WITH_PORTS: ReadonlySet<number> = new Set([6, 17, 33, 132, 136])

export type ReadProtocol = { readonly number: number | undefined } | { readonly fault: string; readonly hint: string }

/**
 * Number of a protocol as written, any case; undefined for `any`. With IPv6, ICMP is the one of IPv6 under every name and number, as in Neutron.
 */
export function readProtocol(written: string | number, ethertype: 'IPv4' | 'IPv6'): ReadProtocol {
  const text = String(written).toLowerCase()
  if (text === 'any') return { number: undefined }
  const number = NUMBERS.get(text) ?? (/^\d{1,3}$/.test(text) ? Number(text) : undefined)
  if (number === undefined || number > 255) {
    const near = didYouMean(text, NUMBERS.keys())
    const hint = /^-?\d/.test(text)
      ? 'write 0 to 255, or leave it out for any'
      : near === undefined
        ? `write a number, or one of ${[...NUMBERS.keys()].join(', ')}`
        : `did you mean ${near}?`
    return { fault: `protocol ${written} is not an IP protocol`, hint }
  }
  if (ethertype === 'IPv6') return { number: number === ICMP ? ICMPV6 : number }
  if (!IPV6_ONLY.has(number)) return { number }
  const hint = number === ICMPV6 ? 'write ethertype: IPv6, or protocol: icmp' : 'write ethertype: IPv6'
  return { fault: `protocol ${written} is one of IPv6, and the rule is for IPv4`, hint }
}

/** The normal spelling of a number. */
export function protocolName(number: number): string | number {
  return NAMES.get(number) ?? number
}

/** The number that a normal spelling stands for. */
export function protocolNumber(normal: string | number): number {
  return typeof normal === 'number' ? normal : (NUMBERS.get(normal) ?? 0)
}

export function hasPorts(number: number): boolean {
  return WITH_PORTS.has(number)
}

export function isIcmp(number: number): boolean {
  return number === ICMP || number === ICMPV6
}
