import type { Key } from './key.ts'

/**
 * What the data plane must do, in words no backend owns: no table, register, tag or port number of OVS appears here.
 * Kinds make intents (`kinds/<kind>/lower.ts`); backends compile them. Every value is plain JSON.
 * Adding a data-plane ability = one more member; the exhaustive switch in each backend's compiler then names who must answer.
 */
export type Intent =
  | EndpointIntent
  | HostIntent
  | AttachIntent
  | SegmentIntent
  | LocationIntent
  | GroupIntent
  | GroupRuleIntent
  | MemberIntent
  | AddressesIntent
  | TrunkIntent
  | QosIntent
  | PortQosIntent
  | TapIntent
  | TapFlowIntent
  | TapMirrorIntent
  | PortLogIntent
  | RouterIntent
  | LegIntent
  | RouteIntent

export type NetworkType = 'local' | 'flat' | 'vlan' | 'vxlan' | 'geneve' | 'gre'
export type TunnelType = 'vxlan' | 'geneve' | 'gre'

/** scope `fabric`: where a host's tunnels end. */
export interface EndpointIntent {
  readonly type: 'endpoint'
  readonly host: string
  /** IPv4 or IPv6 address, canonical text. */
  readonly tunnel_ip: string
}

/** scope `host/<h>`: what the whole host offers. */
export interface HostIntent {
  readonly type: 'host'
  readonly host: string
  /** Absent: the host takes part in no tunnel. */
  readonly tunnel_ip?: string
  /** physical_network → provider bridge that exists on the host and is not ours. */
  readonly bridge_mappings: Readonly<Record<string, string>>
  /** Whose rows and flows these are: two installations on one switch leave each other alone. */
  readonly installation: string
  /** What the agent does about drift, and when it reads everything again (cron expression, UTC). */
  readonly drift: { readonly mode: 'off' | 'report' | 'repair'; readonly schedule: string }
}

/** scope `host/<h>`: a port that is to be attached on this host. */
export interface AttachIntent {
  readonly type: 'attach'
  readonly port: Key
  /** The port's UUID: what `external_ids:iface-id` holds. */
  readonly id: string
  readonly network: Key
  readonly mac: string
  readonly admin_state_up: boolean
  readonly mtu: number
  /** Who makes the interface: `external` = a VM or container plugs it and names it by `iface-id`. */
  readonly plug: Plug
  readonly port_security_enabled: boolean
  /** With port security: the only (MAC, source prefix) pairs that may be sent. The port's own come first; IPv6 link-local of each MAC is implied. */
  readonly allowed: readonly AllowedAddress[]
  /** The port's own addresses with prefix length, for interfaces that the agent makes (`10.0.0.5/24`). */
  readonly addresses: readonly string[]
  /** As in its network's segment. */
  readonly segment?: string
  /**
   * With port security: the groups whose rules it is under, sorted. Nothing but what a rule of one of them allows comes in or goes out, besides what a guest needs to be on its
   * network at all (ARP, ND, MLD, its own DHCP). None: nothing. Absent: no rules, everything.
   */
  readonly security_groups?: readonly Key[]
}

export interface AllowedAddress {
  readonly mac: string
  /** Prefix in canonical CIDR form; a single address is /32 or /128. */
  readonly prefix: string
}

export type Plug =
  | { readonly by: 'external' }
  | {
      readonly by: 'agent'
      readonly type: 'internal' | 'veth'
      readonly interface: string
      readonly netns?: string
      readonly guest_interface?: string
    }

/** scope `net/<n>`: how a network is carried. */
export interface SegmentIntent {
  readonly type: 'segment'
  readonly network: Key
  /** Which one it is, where the network has several. Ports of one segment and those of another are strangers here; an outsider may join the segments. */
  readonly segment?: string
  readonly network_type: NetworkType
  /** flat and vlan only. */
  readonly physical_network?: string
  /** VLAN id or tunnel key. */
  readonly segmentation_id?: number
  readonly mtu: number
  readonly admin_state_up: boolean
  /** Multicast to groups beyond the link goes only to ports that asked for it (IGMP, MLD), and to routers. Absent: to every port. */
  readonly igmp_snooping?: IgmpSnooping
}

export interface IgmpSnooping {
  /** Each host asks its own ports. False: somebody else in the network asks, and while nobody does, multicast goes to every port. */
  readonly querier: boolean
  /** Seconds between two such questions. */
  readonly query_interval: number
}

/** scope `net/<n>`: where a port of the network lives and which addresses are known to be its own. */
export interface LocationIntent {
  readonly type: 'location'
  readonly port: Key
  readonly network: Key
  /** Absent: bound to no host (yet). A name that no host has: it lives outside, and is reached by the provider network, if the network has one. */
  readonly host?: string
  /** The guest is on its way to this host: what is for it goes to both, and it is heard from both. */
  readonly migrating_to?: string
  readonly mac: string
  /** Canonical addresses without prefix length. */
  readonly ips: readonly string[]
  /** False: this port may own addresses that nobody declared; it needs unknown unicast, and its addresses are learned. */
  readonly port_security_enabled: boolean
  readonly admin_state_up: boolean
  /**
   * MACs that its allowed address pairs let it use besides its own (a virtual router's), sorted; absent when there are none. Several ports may share
   * one: frames to it find the port that used it last.
   */
  readonly other_macs?: readonly string[]
  /** Where the network has several segments: the one that its host takes. Absent there: it is in none (yet). */
  readonly segment?: string
}

/** scope `sg/<g>`: a security group. Of the groups of one port either all are stateful or none is. */
export interface GroupIntent {
  readonly type: 'group'
  readonly group: Key
  /** True: what answers, and what is related (ICMP errors), passes without a rule of its own. */
  readonly stateful: boolean
}

/** scope `sg/<g>`: one rule; its key tells it from the group's others by its content. A rule only ever allows. */
export interface GroupRuleIntent {
  readonly type: 'group_rule'
  readonly group: Key
  readonly rule: GroupRule
}

export interface GroupRule {
  readonly direction: 'ingress' | 'egress'
  readonly ethertype: 'IPv4' | 'IPv6'
  /** IP protocol number; absent: any. 1 with IPv4 and 58 with IPv6 are ICMP. */
  readonly protocol?: number
  /** Destination ports, both ends included; TCP (6), UDP (17), DCCP (33), SCTP (132) and UDP-Lite (136) only. Absent: any. */
  readonly ports?: { readonly first: number; readonly last: number }
  /** ICMP only. Absent: any. */
  readonly icmp?: { readonly type: number; readonly code?: number }
  /** Who is on the other side; absent: anybody. */
  readonly remote?: GroupRemote
}

/** A prefix in canonical CIDR form, the members of a group, or what an address group holds: of the rule's ethertype. */
export type GroupRemote = { readonly prefix: string } | { readonly group: Key } | { readonly addresses: Key }

/** scope `members/<g>`: a port of a group, wherever it lives. Whoever speaks from or is reached under one of its prefixes is the group. */
export interface MemberIntent {
  readonly type: 'member'
  readonly group: Key
  readonly port: Key
  /** Its own addresses and those of its allowed address pairs, canonical CIDR, sorted, each once. */
  readonly prefixes: readonly string[]
}

/** scope `addresses/<a>`: what an address group holds. */
export interface AddressesIntent {
  readonly type: 'addresses'
  readonly addresses: Key
  /** Canonical CIDR, sorted, each once. */
  readonly prefixes: readonly string[]
}

/** scope `qos/<p>`: what ports under a QoS policy may send (`egress`) and receive (`ingress`). */
export interface QosIntent {
  readonly type: 'qos'
  readonly policy: Key
  /** Absent: no limit. */
  readonly egress?: TrafficLimits
  readonly ingress?: TrafficLimits
  /** DSCP of the IPv4 and IPv6 packets that the port sends. Absent: left as they are. */
  readonly dscp_mark?: number
}

/** Each counts for a port by itself. What is over a limit is dropped. */
export interface TrafficLimits {
  /** Of whole frames. */
  readonly bits?: RateLimit
  readonly packets?: RateLimit
}

export interface RateLimit {
  /** In a second. */
  readonly rate: number
  /** At once, after a pause. */
  readonly burst: number
}

/** scope `host/<h>`: a port that is attached here is under a QoS policy. */
export interface PortQosIntent {
  readonly type: 'port_qos'
  readonly port: Key
  readonly policy: Key
}

/** scope `host/<h>`: what security groups do with the connections of a port that is attached here is written down. */
export interface PortLogIntent {
  readonly type: 'port_log'
  readonly port: Key
  /** The logs that ask for what is let pass; sorted. None: it is not written down. */
  readonly accept: readonly Key[]
  /** The logs that ask for what is not. */
  readonly drop: readonly Key[]
  /** In packets, of the whole host, each for what is let pass and what is not. The same at every port. */
  readonly limit: RateLimit
}

/** scope `host/<h>`: ports of this host whose frames come through the interface of another one, tagged. Each has an `attach` of its own, whose plug is not looked at. */
export interface TrunkIntent {
  readonly type: 'trunk'
  readonly trunk: Key
  /** The port with the interface; its own frames are untagged. */
  readonly parent: Key
  /** False: nothing comes to or from the subports. */
  readonly admin_state_up: boolean
  /** Sorted by VLAN id; each id once. */
  readonly subports: readonly { readonly port: Key; readonly vlan_id: number }[]
}

/** scope `tap/<t>`: a tap service. Its port gets copies of what other ports send and receive, past its own rules, and nothing is ever learned from a copy or copied again. */
export interface TapIntent {
  readonly type: 'tap'
  readonly tap: Key
  /** Who gets the copies. */
  readonly port: Key
  /** Where it is; two while it moves. */
  readonly hosts: readonly string[]
  /** How copies travel between hosts: under a key that no network has. Absent: they do not. */
  readonly tunnel?: { readonly type: TunnelType; readonly key: number }
}

/** scope `tap/<t>`: a port of whose frames the service gets copies. */
export interface TapFlowIntent {
  readonly type: 'tap_flow'
  readonly flow: Key
  readonly tap: Key
  readonly port: Key
  /** Where it is; two while it moves. */
  readonly hosts: readonly string[]
  readonly direction: TapDirection
}

/** As the port sees it: `IN` is what it receives, `OUT` what it sends. */
export type TapDirection = 'IN' | 'OUT' | 'BOTH'

/** scope `host/<h>`: a port of this host of whose frames a collector outside gets copies, each direction under a number of its own (GRE key, ERSPAN session). */
export interface TapMirrorIntent {
  readonly type: 'tap_mirror'
  readonly mirror: Key
  readonly port: Key
  readonly mirror_type: MirrorType
  /** Canonical. */
  readonly remote_ip: string
  /** Absent: not copied. */
  readonly in?: number
  readonly out?: number
}

export type MirrorType = 'gre' | 'erspanv1'

/** scope `router/<r>`: a router. Every host routes for its own ports; nothing of it is in one place. */
export interface RouterIntent {
  readonly type: 'router'
  readonly router: Key
  /** False: it forwards nothing and answers nobody. */
  readonly admin_state_up: boolean
}

/** scope `router/<r>`: where the router is on a network: it has one MAC there, and is on the same addresses on every host. IPv6 link-local of the MAC is implied. */
export interface LegIntent {
  readonly type: 'leg'
  readonly router: Key
  readonly network: Key
  readonly mac: string
  /** With the prefix length of their subnet (`10.0.0.1/24`), sorted: what is directly reachable there. */
  readonly addresses: readonly string[]
  /** What the router says of itself there (RFC 4861); absent: nothing. */
  readonly advertised?: Advertised
}

/** A router advertisement, as far as it follows from subnets. */
export interface Advertised {
  /** DHCPv6 gives addresses; it gives other things. */
  readonly managed: boolean
  readonly other: boolean
  /** On the link, in canonical form, sorted; `autonomous`: hosts make their own addresses of it. */
  readonly prefixes: readonly { readonly prefix: string; readonly autonomous: boolean }[]
  /** IPv6 addresses of resolvers, at most three (as Neutron). */
  readonly dns: readonly string[]
}

/** scope `router/<r>`: the way to a destination that is on none of the router's networks. */
export interface RouteIntent {
  readonly type: 'route'
  readonly router: Key
  /** Canonical CIDR. */
  readonly destination: string
  /** Who forwards on, each with the network of the leg by which it is reached; sorted. Several share the packets, each connection by one of them. */
  readonly nexthops: readonly { readonly address: string; readonly network: Key }[]
}

/** Where frames for a port go: its host, and the one to which it is on its way. */
export function hostsOf({ host, migrating_to: to }: Pick<LocationIntent, 'host' | 'migrating_to'>): readonly string[] {
  if (host === undefined) return []
  return to === undefined ? [host] : [host, to]
}

/** Within what ports hear each other: the network, or one segment where it has several. */
export function domainOf({ network, segment }: { readonly network: Key; readonly segment?: string }): string {
  return segment === undefined ? network : `${network} ${segment}`
}
