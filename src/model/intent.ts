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
}

/** scope `net/<n>`: where a port of the network lives and which addresses are known to be its own. */
export interface LocationIntent {
  readonly type: 'location'
  readonly port: Key
  readonly network: Key
  /** Absent: bound to no host (yet). A name that no host has: it lives outside, and is reached by the provider network, if the network has one. */
  readonly host?: string
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

/** Within what ports hear each other: the network, or one segment where it has several. */
export function domainOf({ network, segment }: { readonly network: Key; readonly segment?: string }): string {
  return segment === undefined ? network : `${network} ${segment}`
}
