import type { FieldName } from '../flow/fields.ts'
import { COPY_TABLES } from './copy-tables.ts'
import type { RegisterName } from './registers.ts'
import { ROUTE_TABLES } from './route-tables.ts'
import { SNOOP_TABLES } from './snoop-tables.ts'

export type TableName =
  | 'classify'
  | 'sent'
  | 'guard'
  | 'guard_lladdr'
  | 'guard_claim'
  | 'guard_advert'
  | 'guard_owner'
  | 'egress'
  | 'egress_state'
  | 'egress_rules'
  | 'egress_accept'
  | 'egress_kept'
  | 'learn'
  | 'responder'
  | 'respond_arp'
  | 'respond_nd'
  | 'respond'
  | 'respond_nd_option'
  | 'advertise'
  | 'router'
  | 'router_own'
  | 'route'
  | 'neighbour'
  | 'router_answer'
  | 'router_fault'
  | 'router_back'
  | 'hops'
  | 'l2'
  | 'learned'
  | 'l2_unknown'
  | 'flood'
  | 'flood_unknown'
  | 'flood_part'
  | 'snoop'
  | 'snoop_copy'
  | 'snooping'
  | 'snooped'
  | 'ingress'
  | 'ingress_kind'
  | 'ingress_state'
  | 'ingress_rules'
  | 'ingress_accept'
  | 'ingress_kept'
  | 'output'
  | 'tunnel_key'
  | 'tunnel_peer'
  | 'limit'
  | 'limit_again'
  | 'copy'
  | 'copy_limit'
  | 'copy_limit_again'

/** A field of the packet, or named bits of a register. */
export type Place = FieldName | RegisterName

/** As it is written below; `pipeline.ts` says what each member means, and fills in the others. */
export interface Declaration {
  readonly number: number
  readonly matches: readonly Place[]
  readonly sets?: readonly Place[]
  readonly jumps?: readonly TableName[]
  readonly back?: readonly TableName[]
  readonly outputs?: true
  readonly tracks?: true
  readonly meters?: true
  readonly tells?: true
  readonly learns?: readonly TableName[]
  readonly arrives: string
  readonly leaves: string
}

const ND: readonly FieldName[] = ['eth_type', 'ip_proto', 'icmpv6_type']

/** What tells frames apart that need no rule. */
const FILTERED: readonly FieldName[] = [...ND, 'nw_ttl', 'udp_src', 'udp_dst']
const STATE: readonly Place[] = ['eth_type', 'ct_state', 'ct_mark', 'rules']
const RULED: readonly Place[] = [
  ...(['conj_id', 'ip_proto', 'tcp_dst', 'udp_dst', 'sctp_dst'] as const),
  ...(['icmp_type', 'icmp_code', 'icmpv6_type', 'icmpv6_code', 'ip_frag'] as const),
]

const KEPT = {
  arrives: 'The first frame of a connection that is kept now; and fragments of anybody that Open vSwitch gave up waiting for.',
  leaves: 'The first frame. Fragments that were not looked up are dropped.',
} as const

/** Numbers are assigned here, once, and never used again for something else: during an upgrade flows of both versions are in the switch. */
export const DECLARED: Readonly<Record<TableName, Declaration>> = {
  classify: {
    number: 0,
    matches: ['in_port', 'vlan_tci', 'eth_type', 'tun_id', 'tun_src', 'tun_ipv6_src'],
    sets: ['network', 'origin', 'sender', 'zone', 'rules', 'vlan_tci', 'target'],
    jumps: ['sent', 'guard', 'learn', 'copy'],
    meters: true,
    arrives: 'Every frame, from every port of br-int.',
    leaves:
      'Frames whose network is known: from an attached local port (untagged, or with the VLAN of a subport; administratively up), from a tunnel with the key of a network and the address of a host that has a port of it or of a network from which routers lead into it, from a provider bridge with the VLAN of a network. To `copy`: copies of what a local port sends, and those that come from other hosts under the key of a tap service. Everything else is dropped, and so is what a local port sends above the limit of its QoS policy.',
  },
  // 1 to 9: QoS of what local ports send
  sent: {
    number: 5,
    matches: ['sender', 'eth_type'],
    sets: ['ip_dscp'],
    meters: true,
    arrives: 'Frames of local ports whose QoS policy marks them, or limits both bits and packets.',
    leaves: '(comes back, with the DSCP of the policy; what is above the second limit is dropped)',
  },
  // 10 to 14 were the guard's tables before it compared what frames claim in registers.
  guard: {
    number: 15,
    matches: [...ND, 'nd_target', 'nd_sll', 'nd_tll', 'udp_dst', 'icmp_type', 'ip_frag'],
    sets: ['lladdr'],
    jumps: ['guard_lladdr'],
    arrives: 'Frames of local ports with port security.',
    leaves:
      'The same with the link-layer address that they claim. Dropped: answers of DHCP servers, router advertisements, redirects, IPv6 and neighbour discovery that hide in fragments what they are about, and every ethertype but IPv4, IPv6, ARP and RARP.',
  },
  guard_lladdr: {
    number: 16,
    matches: ['sender', 'eth_src', 'lladdr'],
    jumps: ['guard_claim'],
    arrives: 'Frames of guarded ports, with the link-layer address they claim.',
    leaves: 'Those with a source MAC that the port may use, and that claim no other.',
  },
  guard_claim: {
    number: 17,
    matches: [...ND, 'arp_op', 'arp_spa', 'ip_src', 'ip_dst', 'ipv6_src', 'udp_src', 'udp_dst', 'nd_sll'],
    sets: ['claim', 'claim_v4', 'owned'],
    jumps: ['guard_advert', 'guard_owner', 'egress'],
    arrives: "Frames whose MAC is the sender's.",
    leaves:
      'With the IP address that they speak for, and whether the sender may. An address probe (RFC 5227) speaks for what it asks for. Claiming nothing: what a client must send before it has an address (DHCP discover, MLD and router solicitation from ::).',
  },
  guard_advert: {
    number: 18,
    matches: ['eth_type', 'owned'],
    sets: ['claim', 'claim_v4', 'owned'],
    jumps: ['guard_owner', 'egress'],
    arrives: 'Neighbour advertisements, with whether the sender may speak for the target.',
    leaves: 'The same with whether it may speak for the source, too.',
  },
  guard_owner: {
    number: 19,
    matches: ['sender', 'eth_src', 'claim', 'claim_v4'],
    sets: ['owned'],
    arrives: 'Frames of guarded ports, with the address they speak for.',
    leaves: '(comes back, with `owned` set where the address is one of the sender’s, IPv6 link-local of its MAC included)',
  },
  egress: {
    number: 20,
    matches: [...FILTERED, 'owned', 'rules', 'zone'],
    jumps: ['egress_state', 'egress_rules', 'learn'],
    tracks: true,
    arrives: 'Frames of guarded ports, and whether they claim what is not theirs: those are dropped.',
    leaves:
      'What needs no rule (ARP, ND, MLD, DHCP requests) and what comes from ports without security groups, to `learn`; IP of the others, looked up among the connections of the port where its groups are stateful.',
  },
  egress_state: {
    number: 21,
    matches: STATE,
    jumps: ['egress_rules', 'learn'],
    tells: true,
    arrives: 'IP of ports with stateful groups, with what is known of the connection.',
    leaves:
      'Answers to what was let in, and ICMP errors about it, to `learn`; everything else to the rules, frames of known connections too. Invalid ones are dropped.',
  },
  egress_rules: {
    number: 22,
    matches: [...RULED, ...STATE, 'network', 'ip_dst', 'ipv6_dst'],
    jumps: ['egress_accept'],
    tracks: true,
    tells: true,
    sets: ['ct_mark', 'rule'],
    arrives: 'IP that needs a rule.',
    leaves: 'What a rule of the groups allows. A known connection that no rule allows any more is marked as refused.',
  },
  egress_accept: {
    number: 23,
    matches: [...STATE, 'ct_label'],
    jumps: ['egress_kept', 'learn'],
    tracks: true,
    tells: true,
    sets: ['ct_mark', 'ct_label'],
    arrives: 'What a rule allows.',
    leaves: 'The same, at once where the connection is known; a new one is kept first, and one that was refused stands again.',
  },
  egress_kept: { number: 24, matches: ['ct_state'], jumps: ['learn'], ...KEPT },
  learn: {
    number: 30,
    matches: ['network', 'origin', 'eth_src'],
    learns: ['learned'],
    jumps: ['responder'],
    arrives: 'Frames that passed the guard or need none: of local ports without port security, from tunnels, from provider networks.',
    leaves: 'The same. In networks where addresses nobody declared can exist, the sender of such an address is noted in `learned`.',
  },
  // 35 to 39: service traps (DHCP, metadata)
  responder: {
    number: 40,
    matches: [...ND, 'network', 'origin', 'eth_dst', 'arp_op', 'arp_tpa', 'ipv6_src', 'ip_dst', 'nw_ttl', 'nd_target', 'nd_sll'],
    sets: ['nd_ask', 'target', 'owner_mac'],
    jumps: ['respond_arp', 'respond_nd', 'respond', 'router', 'l2', 'advertise'],
    tells: true,
    arrives: 'Everything that passed the guard.',
    leaves:
      'Broadcast ARP requests of local ports, multicast neighbour solicitations, and what asks a router whether it is still there, to the responders; the rest to `router`. In networks with IGMP snooping the agent is told what hosts and routers say of groups.',
  },
  respond_arp: {
    number: 41,
    matches: ['network', 'eth_type', 'arp_op', 'arp_tpa'],
    sets: ['target', 'owner_mac'],
    jumps: ['respond', 'l2'],
    arrives: 'Broadcast ARP requests of local ports.',
    leaves: 'With the owner of the address asked for, where it is known; without, to be flooded.',
  },
  respond_nd: {
    number: 42,
    matches: [...ND, 'network', 'nd_target'],
    sets: ['target', 'owner_mac'],
    jumps: ['respond', 'l2'],
    arrives: 'Multicast neighbour solicitations.',
    leaves: 'With the owner of the address asked for, where it is known; without, to be flooded.',
  },
  respond: {
    number: 43,
    matches: [...ND, 'origin', 'sender', 'target', 'nd_ask', 'arp_op'],
    sets: [
      ...(['target', 'swap', 'eth_src', 'eth_dst', 'arp_op', 'arp_sha', 'arp_tha', 'arp_spa', 'arp_tpa'] as const),
      ...(['ipv6_src', 'ipv6_dst', 'icmpv6_type', 'nd_reserved', 'nd_options_type', 'vlan_tci', 'vlan_vid'] as const),
    ],
    jumps: ['respond_nd_option', 'l2', 'ingress', 'copy'],
    outputs: true,
    arrives: 'Questions for a known address, with its owner.',
    leaves:
      "The answer, back to who asked. The owner's own question is flooded: that is how it announces itself and looks for a double. A solicitation that the switch must not or cannot answer goes to the owner alone.",
  },
  respond_nd_option: {
    number: 44,
    matches: [...ND, 'sender'],
    sets: ['nd_tll', 'vlan_tci', 'vlan_vid', 'target'],
    jumps: ['copy'],
    outputs: true,
    arrives: 'Solicitations that `respond` turned into advertisements.',
    leaves: 'The advertisement, back to who asked. (`nd_tll` cannot be set by the flow that turns the type.)',
  },
  advertise: {
    number: 45,
    matches: [...ND, 'network'],
    jumps: ['l2'],
    tells: true,
    arrives: 'Router solicitations of local ports, on hosts that have routers.',
    leaves:
      'The same, to be flooded: there may be other routers. The responder of the host gets a copy with what the routers of the network say of themselves, and answers.',
  },
  ...ROUTE_TABLES,
  // 60 to 69: NAT
  l2: {
    number: 70,
    matches: ['network', 'eth_dst'],
    sets: ['target'],
    jumps: ['learned', 'l2_unknown', 'flood', 'ingress'],
    arrives: 'Frames to be delivered inside their network.',
    leaves: 'Known unicast with its target, broadcast and multicast to `flood`, the rest after a look into `learned`.',
  },
  learned: {
    number: 71,
    matches: ['network', 'eth_dst'],
    sets: ['target'],
    arrives: 'Unicast to addresses nobody declared. All flows here are made by the switch itself through `learn`.',
    leaves: '(comes back to `l2` with the target, if there is one)',
  },
  l2_unknown: {
    number: 72,
    matches: ['target'],
    jumps: ['flood_unknown', 'ingress'],
    arrives: 'Unicast after the look into `learned`.',
    leaves: 'With a target to `output`, without one to `flood_unknown`.',
  },
  flood: {
    number: 73,
    matches: ['network', 'origin'],
    sets: ['target', 'flood_part', 'tun_id'],
    jumps: ['flood_part', 'snoop', 'ingress'],
    arrives: 'Broadcast and multicast.',
    leaves:
      'A copy to every local port of the network; from local ports also one to each host with a port of it, or to the provider network.',
  },
  flood_unknown: {
    number: 74,
    matches: ['network', 'origin', 'eth_dst'],
    sets: ['target', 'flood_part', 'tun_id', 'tun_dst', 'tun_ipv6_dst'],
    outputs: true,
    jumps: ['flood_part', 'ingress'],
    arrives: 'Unicast whose receiver is not known.',
    leaves:
      'As `flood`, but only to ports without port security and to those that may use the address, to hosts that have such ports, and to the provider network.',
  },
  flood_part: {
    number: 75,
    matches: ['network', 'flood_part'],
    sets: ['target', 'tun_dst', 'tun_ipv6_dst'],
    jumps: ['snoop_copy', 'ingress'],
    outputs: true,
    arrives: 'Frames to be copied, once for each part of the set: one flow must not grow with the network.',
    leaves: 'A copy to each receiver of that part.',
  },
  ...SNOOP_TABLES,
  ingress: {
    number: 80,
    matches: ['target', 'sender'],
    sets: ['zone', 'rules'],
    jumps: ['ingress_kind', 'output'],
    arrives: 'Frames with a target.',
    leaves:
      'Those to a local port with security groups with its zone and its rules, all others to `output`. Dropped: at a port that may use other MACs besides its own, the copy of what it has flooded itself.',
  },
  ingress_kind: {
    number: 81,
    matches: [...FILTERED, 'network', 'zone', 'ip_dst'],
    jumps: ['ingress_state', 'ingress_rules', 'output'],
    tracks: true,
    arrives: 'Frames to a local port with security groups.',
    leaves:
      'What needs no rule (ARP, ND, router advertisements, MLD queries, answers of DHCP servers) to `output`; IP, looked up among the connections of the port where its groups are stateful.',
  },
  ingress_state: {
    number: 82,
    matches: STATE,
    jumps: ['ingress_rules', 'output'],
    tells: true,
    arrives: 'IP to ports with stateful groups, with what is known of the connection.',
    leaves:
      'Answers to what the port began, and ICMP errors about it, to `output`; everything else to the rules, frames of known connections too. Invalid ones are dropped.',
  },
  ingress_rules: {
    number: 90,
    matches: [...RULED, ...STATE, 'network', 'ip_src', 'ipv6_src'],
    jumps: ['ingress_accept'],
    tracks: true,
    tells: true,
    sets: ['ct_mark', 'rule'],
    arrives: 'IP that needs a rule.',
    leaves: 'What a rule of the groups allows. A known connection that no rule allows any more is marked as refused.',
  },
  ingress_accept: {
    number: 91,
    matches: [...STATE, 'ct_label'],
    jumps: ['ingress_kept', 'output'],
    tracks: true,
    tells: true,
    sets: ['ct_mark', 'ct_label'],
    arrives: 'What a rule allows.',
    leaves: 'The same, at once where the connection is known; a new one is kept first, and one that was refused stands again.',
  },
  ingress_kept: { number: 92, matches: ['ct_state'], jumps: ['output'], ...KEPT },
  // 100 to 109 were kept for QoS, which had to come before and after the rest: see 1 to 9, 120 to 124.
  output: {
    number: 110,
    matches: ['target', 'network', 'origin', 'sender'],
    sets: ['vlan_tci', 'vlan_vid', 'alone', 'target', 'eth_src'],
    jumps: ['tunnel_key', 'limit', 'copy'],
    outputs: true,
    arrives: 'Frames with a target.',
    leaves:
      'To the local port, for a subport with its tag, or to the limits of what it may receive; to the provider bridge, tagged; to the tunnel tables. Only frames of local ports leave the host.',
  },
  tunnel_key: {
    number: 111,
    matches: ['network'],
    sets: ['tun_id'],
    jumps: ['tunnel_peer'],
    arrives: 'Unicast to another host.',
    leaves: 'The same with the key of its network.',
  },
  tunnel_peer: {
    number: 112,
    matches: ['target'],
    sets: ['tun_dst', 'tun_ipv6_dst'],
    outputs: true,
    arrives: 'Unicast to another host, with its key.',
    leaves: 'To the tunnel port, with the address of the host.',
  },
  ...COPY_TABLES,
}
