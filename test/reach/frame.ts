/** A frame as a guest sends it, as far as switches and rules look at it. Addresses are canonical text. */
export interface Frame {
  readonly src: string
  readonly dst: string
  /** Tagged by the guest. */
  readonly vlan?: number
  readonly connection: Connection
  readonly body: Body
}

/**
 * What every look-up among connections finds: nothing yet; the connection, from the side that began it; the connection, from the side that answers; one that is related (an
 * ICMP error about it); something that makes no sense.
 */
export type Connection = 'new' | 'known' | 'answer' | 'related' | 'invalid'

export type Body = IpBody | ArpBody | { readonly is: 'other'; readonly ethertype: number }

export interface IpBody {
  readonly is: 'ip'
  readonly from: string
  readonly to: string
  readonly protocol: number
  readonly sport?: number
  readonly dport?: number
  readonly icmp?: { readonly type: number; readonly code: number }
  /** Neighbour solicitations and advertisements: whose address, and the link-layer address in their option. */
  readonly nd?: { readonly target: string; readonly lladdr: string }
}

export interface ArpBody {
  readonly is: 'arp'
  readonly op: 1 | 2
  readonly sha: string
  readonly spa: string
  readonly tha: string
  readonly tpa: string
}

export const BROADCAST = 'ff:ff:ff:ff:ff:ff'

export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}

/** The frame as `ofproto/trace` takes it, without where it comes in. */
export function frameText({ src, dst, vlan, body }: Frame): string {
  const tag = vlan === undefined ? '' : `dl_vlan=${vlan},`
  return `${tag}${bodyText(body)},dl_src=${src},dl_dst=${dst}`
}

function bodyText(body: Body): string {
  switch (body.is) {
    case 'other':
      return `dl_type=0x${body.ethertype.toString(16)}`
    case 'arp':
      return `arp,arp_op=${body.op},arp_spa=${body.spa},arp_tpa=${body.tpa},arp_sha=${body.sha},arp_tha=${body.tha}`
    case 'ip':
      return ipText(body)
  }
}

const BY_NAME: ReadonlyMap<number, string> = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [132, 'sctp'],
  [1, 'icmp'],
])

/** Among neighbours a packet has all its hops (RFC 4861), to routers on the link one (RFC 3810). */
function hopsOf(type: number): number {
  if ([130, 131, 132, 143].includes(type)) return 1
  return type >= 133 && type <= 137 ? 255 : 64
}

function ipText({ from, to, protocol, sport, dport, icmp, nd }: IpBody): string {
  const six = familyOf(from) === 6
  const name = BY_NAME.get(protocol)
  const kind = protocol === 58 ? 'icmp6' : name === undefined ? `${six ? 'ipv6' : 'ip'},nw_proto=${protocol}` : `${name}${six ? '6' : ''}`
  const addresses = six ? `ipv6_src=${from},ipv6_dst=${to}` : `nw_src=${from},nw_dst=${to}`
  const ports = dport === undefined ? '' : `,${name}_src=${sport ?? 0},${name}_dst=${dport}`
  const type = icmp === undefined ? '' : `,${six ? 'icmpv6' : 'icmp'}_type=${icmp.type},${six ? 'icmpv6' : 'icmp'}_code=${icmp.code}`
  const neighbour = nd === undefined ? '' : `,nd_target=${nd.target},${icmp?.type === 135 ? 'nd_sll' : 'nd_tll'}=${nd.lladdr}`
  return `${kind},${addresses},nw_ttl=${six && protocol === 58 ? hopsOf(icmp?.type ?? 0) : 64}${ports}${type}${neighbour}`
}

/** One line for people. */
export function describeFrame(frame: Frame): string {
  return `${frame.connection} ${frameText(frame)}`
}
