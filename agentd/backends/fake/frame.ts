import type { TunnelType } from '../../../src/model/intent.ts'
import type { Key } from '../../../src/model/key.ts'

/** An Ethernet frame as far as forwarding looks at it. Addresses are canonical text. */
export interface Frame {
  readonly src: string
  readonly dst: string
  /** Absent: untagged. */
  readonly vlan?: number
  readonly body: Body
  /** Of a connection that was let in before: from the side that began it, or an answer to it. Absent: the first of its connection. */
  readonly connection?: 'known' | 'answer'
}

export type Body =
  | { readonly type: 'arp'; readonly op: 1 | 2; readonly sha: string; readonly spa: string; readonly tha: string; readonly tpa: string }
  | { readonly type: 'rarp'; readonly sha: string }
  /** IPv4 or IPv6, as the addresses say. */
  | { readonly type: 'udp' | 'tcp'; readonly src: string; readonly dst: string; readonly sport: number; readonly dport: number }
  | { readonly type: 'icmp'; readonly src: string; readonly dst: string; readonly kind: number }
  | Icmp6
  | { readonly type: 'other'; readonly ethertype: number }

/** ICMPv6. Neighbour discovery is sent with hop limit 255. `target`, `sll` and `tll` belong to solicitations (135) and advertisements (136). */
export interface Icmp6 {
  readonly type: 'icmp6'
  readonly src: string
  readonly dst: string
  readonly kind: number
  readonly target?: string
  /** Option 1, source link-layer address. */
  readonly sll?: string
  /** Option 2, target link-layer address. */
  readonly tll?: string
}

/** How a frame comes into a host. */
export type Arrival =
  | { readonly by: 'port'; readonly port: Key }
  | { readonly by: 'tunnel'; readonly type: TunnelType; readonly key: number; readonly from: string }
  | { readonly by: 'provider'; readonly bridge: string }

/** How it leaves: `port` twice the same as it came in by means the switch itself answered. */
export type Departure = Way & {
  /** From and to whom it is now, where a router has handed it on. */
  readonly as?: Pick<Frame, 'src' | 'dst'>
}

type Way =
  | { readonly by: 'port'; readonly port: Key }
  | { readonly by: 'tunnel'; readonly type: TunnelType | 'erspan'; readonly key: number; readonly to: string }
  | { readonly by: 'provider'; readonly bridge: string; readonly vlan?: number }

/** The group bit of the first octet; broadcast is multicast too. */
export function isGroup(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1
}
