/** Neutron's names (its `IP_PROTOCOL_MAP`), besides `icmpv6`. */
export const PROTOCOL_NUMBERS: ReadonlyMap<string, number> = new Map([
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
  [...PROTOCOL_NUMBERS].filter(([name, number]) => number !== 0 && name !== 'icmpv6').map(([name, number]) => [number, name]),
)

/** The normal spelling of a number. */
export function protocolName(number: number): string | number {
  return NAMES.get(number) ?? number
}

/** Protocols that begin with two ports: TCP, UDP, DCCP, SCTP, UDP-Lite (Neutron's `SG_PORT_PROTO_NUMS`). */
export const WITH_PORTS: ReadonlySet<number> = new Set([6, 17, 33, 132, 136])

/** Extension headers of IPv6 that tell where the next one begins (RFC 8200): hop-by-hop, routing, destination. */
export const EXTENSION_HEADERS: ReadonlySet<number> = new Set([0, 43, 60])
/** The one of fragments, which is 8 bytes long (RFC 8200, 4.5). */
export const FRAGMENT_HEADER = 44
