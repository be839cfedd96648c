import { type Key, makeKey } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import type { FieldName } from '../flow/fields.ts'
import { type Action, type FieldValue, type Match, PORT } from '../flow/types.ts'
import { type FlowSpec, flowItem, goto, move, moveInto, moveTo, output, resubmit, set, setField } from './build.ts'
import { cookieOfSet } from './cookie.ts'
import { filterParts } from './filter.ts'
import { ANY_PORT, ANY_TUNNEL, ORIGIN } from './registers.ts'
import { AFTER_GUARD, AFTER_LEARN, AFTER_RESPONDER, AFTER_ROUTER, DELIVER, UNANSWERED } from './stages.ts'
import {
  ARP,
  ARP_REQUEST,
  FRAGMENT,
  FROM_GROUP,
  IP,
  IPV6,
  icmp6,
  macMatch,
  NA,
  NS,
  RA,
  RARP,
  REDIRECT4,
  REDIRECT6,
  RS,
  TO_GROUP,
  udp,
  udpTo,
} from './words.ts'

type Part = Omit<FlowSpec, 'cookie' | 'owners'>

/** No address: `::`, 0.0.0.0, or an option that is not there. */
const NONE: FieldValue = { value: 0n }

/** What no guest under a guard may send, whoever it says it is. */
const NEVER: readonly Match[] = [
  // A guest is no DHCP server, whatever port it speaks from: clients do not look at that.
  udpTo(4, 68),
  udpTo(6, 546),
  // It is no router.
  RA,
  REDIRECT6,
  REDIRECT4,
  // A solicitation that Open vSwitch cannot read (an option that is there twice) has no target for it, while receivers take the first option.
  { ...NS, nd_target: NONE },
  // Options could stand in another fragment (RFC 6980).
  { ...NS, ...FRAGMENT },
  { ...NA, ...FRAGMENT },
  // So could what the packet is about (RFC 7112): headers that do not end, ICMPv6 without a type, a datagram without ports. Later fragments show another protocol.
  { ...IPV6, ip_proto: NONE },
  icmp6(0),
  udpTo(6, 0),
]

/** Flows that are the same on every host, whatever its ports are. They exist for the host as such. */
export function sharedItems(host: string): readonly Item[] {
  const owners: readonly Key[] = [makeKey('host', '', host)]
  const cookie = cookieOfSet('pipeline')
  return [...drops(), ...guard(), ...learn(), ...responder(), ...lookup(), ...filterParts(), ...tunnels()].map((part) =>
    flowItem({ ...part, cookie, owners }),
  )
}

/** OVS drops what matches nothing; written out, the drop has a counter and a place in a trace. */
function drops(): Part[] {
  return (['classify', 'guard', 'guard_lladdr', 'guard_claim', 'guard_advert', 'flood', 'flood_unknown', 'output'] as const).map(
    (table) => ({
      table,
      priority: 0,
      actions: [],
    }),
  )
}

/**
 * A guest speaks under its own addresses only. What a frame claims is copied into registers, so that one flow for each MAC and one for each address of a port (`guard.ts`) judge every kind
 * of frame.
 */
function guard(): Part[] {
  const lladdr = (priority: number, match: Match, from: FieldName): Part => ({
    table: 'guard',
    priority,
    match,
    actions: [moveInto(from, 'lladdr'), goto('guard_lladdr')],
  })
  return [
    ...NEVER.map((match): Part => ({ table: 'guard', priority: 100, match, actions: [] })),
    // Without the option there is no link-layer address to lie about.
    lladdr(70, { ...NS, nd_sll: NONE }, 'eth_src'),
    lladdr(70, { ...NA, nd_tll: NONE }, 'eth_src'),
    lladdr(60, NS, 'nd_sll'),
    lladdr(60, NA, 'nd_tll'),
    lladdr(50, ARP, 'arp_sha'),
    // A hypervisor announces a guest it has taken over with RARP, which changes nobody's neighbour table.
    lladdr(50, RARP, 'arp_sha'),
    ...[IP, IPV6].map((match) => lladdr(50, match, 'eth_src')),
    ...claims(),
    {
      table: 'guard_advert',
      priority: 50,
      registers: { owned: 1 },
      match: IPV6,
      actions: [set('owned', 0), ...claim('ipv6_src', 6), goto(AFTER_GUARD)],
    },
    { table: AFTER_GUARD, priority: 300, registers: { owned: 0 }, actions: [] },
  ]
}

function claims(): Part[] {
  const part = (priority: number, match: Match, actions: readonly Action[]): Part => ({ table: 'guard_claim', priority, match, actions })
  const nothing = [set('owned', 1), goto(AFTER_GUARD)]
  return [
    // An address probe is for the address that the prober wants to have: another host that hears it gives that up (RFC 5227, 2.1.1).
    part(90, { ...ARP_REQUEST, arp_spa: NONE }, [...claim('arp_tpa', 4), goto(AFTER_GUARD)]),
    // Duplicate address detection carries no link-layer address (RFC 4861, 4.3). With one it claims `::`, which is nobody's.
    part(90, { ...NS, ipv6_src: NONE, nd_sll: NONE }, [...claim('nd_target', 6), goto(AFTER_GUARD)]),
    part(90, NA, [...claim('nd_target', 6), goto('guard_advert')]),
    // What a host sends before it has an address: router solicitation, MLD (RFC 3590), DHCP discover.
    part(90, { ...RS, ipv6_src: NONE }, nothing),
    ...[131, 132, 143].map((type) => part(90, { ...icmp6(type), ipv6_src: NONE }, nothing)),
    part(90, { ...udp(4, 68, 67), ip_src: NONE, ip_dst: { value: 0xffff_ffffn } }, nothing),
    part(50, RARP, nothing),
    part(50, ARP, [...claim('arp_spa', 4), goto(AFTER_GUARD)]),
    part(50, IP, [...claim('ip_src', 4), goto(AFTER_GUARD)]),
    part(50, IPV6, [...claim('ipv6_src', 6), goto(AFTER_GUARD)]),
  ]
}

/** Asks whether the sender may speak for an address. */
function claim(from: FieldName, family: 4 | 6): readonly Action[] {
  const copied = moveInto(from, 'claim')
  return family === 4 ? [copied, set('claim_v4', 1), resubmit('guard_owner')] : [copied, set('claim_v4', 0), resubmit('guard_owner')]
}

function learn(): Part[] {
  return [
    { table: 'learn', priority: 100, match: FROM_GROUP, actions: [] },
    { table: 'learn', priority: 0, actions: [goto(AFTER_LEARN)] },
  ]
}

function responder(): Part[] {
  const ask = { ...NS, ...TO_GROUP, nw_ttl: { value: 255n } }
  const local = { origin: ORIGIN.local }
  const toNd = [goto('respond_nd')]
  const onward = [set('target', 0), goto(UNANSWERED)]
  return [
    {
      table: 'responder',
      priority: 100,
      registers: local,
      match: { ...ARP_REQUEST, eth_dst: macMatch('ff:ff:ff:ff:ff:ff') },
      actions: [goto('respond_arp')],
    },
    // Duplicate address detection is the owner's to answer, and so is a question that says no link-layer address:
    // an answer is made by turning that option round.
    { table: 'responder', priority: 120, match: { ...ask, ipv6_src: NONE }, actions: toNd },
    { table: 'responder', priority: 110, match: { ...ask, nd_sll: NONE }, actions: toNd },
    { table: 'responder', priority: 100, registers: local, match: ask, actions: [set('nd_ask', 1), ...toNd] },
    { table: 'responder', priority: 90, match: ask, actions: toNd },
    { table: 'responder', priority: 0, actions: [goto(AFTER_RESPONDER)] },
    { table: 'respond_arp', priority: 0, actions: [goto(UNANSWERED)] },
    { table: 'respond_nd', priority: 0, actions: [goto(UNANSWERED)] },
    { table: 'router', priority: 0, actions: [goto(AFTER_ROUTER)] },
    { table: 'respond', priority: 50, match: ARP_REQUEST, actions: arpAnswer(BACK) },
    { table: 'respond', priority: 50, registers: { nd_ask: 1 }, match: NS, actions: ndAnswer('host') },
    { table: 'respond', priority: 40, registers: local, match: NS, actions: [goto(DELIVER)] },
    { table: 'respond', priority: 40, registers: { target: ANY_PORT }, match: NS, actions: [goto(DELIVER)] },
    // From another host about a port that is not here: it may be the owner's own question.
    { table: 'respond', priority: 0, actions: onward },
    { table: 'respond_nd_option', priority: 50, match: NA, actions: ndTargetAnswer(BACK) },
  ]
}

const BACK: readonly Action[] = [output(PORT.IN_PORT)]

/** What is answered to a port, as to all others, but goes back in a way of its own: with the tag of a subport, with copies for who listens. */
export function answersTo(sender: number, back: readonly Action[]): Part[] {
  return [
    { table: 'respond', priority: 60, registers: { sender }, match: ARP_REQUEST, actions: arpAnswer(back) },
    { table: 'respond_nd_option', priority: 60, registers: { sender }, match: NA, actions: ndTargetAnswer(back) },
  ]
}

function ndTargetAnswer(back: readonly Action[]): Action[] {
  return [move('eth_src', 'nd_tll'), ...back]
}

/** The request turned round: its sender becomes the target, the owner the sender. */
function arpAnswer(back: readonly Action[]): Action[] {
  return [
    move('eth_src', 'eth_dst'),
    moveTo('owner_mac', 'eth_src'),
    setField('arp_op', 2n),
    move('arp_sha', 'arp_tha'),
    moveTo('owner_mac', 'arp_sha'),
    move('arp_tpa', 'reg6'),
    move('arp_spa', 'arp_tpa'),
    move('reg6', 'arp_spa'),
    ...back,
  ]
}

/**
 * RFC 4861, 4.4: flags S and O, and the target's link-layer address (option 2), which `respond_nd_option` fills in. A router says R as well: who has a way by it would
 * give it up.
 */
export function ndAnswer(of: 'host' | 'router'): Action[] {
  return [
    move('eth_src', 'eth_dst'),
    moveTo('owner_mac', 'eth_src'),
    move('ipv6_src', 'ipv6_dst'),
    move('nd_target', 'ipv6_src'),
    setField('icmpv6_type', 136n),
    setField('nd_reserved', of === 'router' ? 0xe000_0000n : 0x6000_0000n),
    setField('nd_options_type', 2n),
    goto('respond_nd_option'),
  ]
}

function lookup(): Part[] {
  return [
    { table: 'l2', priority: 100, match: TO_GROUP, actions: [goto('flood')] },
    { table: 'l2', priority: 0, actions: [resubmit('learned'), goto('l2_unknown')] },
    { table: 'l2_unknown', priority: 50, registers: { target: 0 }, actions: [goto('flood_unknown')] },
    { table: 'l2_unknown', priority: 0, actions: [goto(DELIVER)] },
  ]
}

/** Split horizon: what came through a tunnel or from a provider network never leaves the host again. */
function tunnels(): Part[] {
  return [{ table: 'output', priority: 40, registers: { origin: ORIGIN.local, target: ANY_TUNNEL }, actions: [goto('tunnel_key')] }]
}
