import { formatCidr, parseCidr } from '../../../../src/lib/cidr.ts'
import { formatIp, ipBytes } from '../../../../src/lib/ip.ts'
import { linkLocalAddress } from '../../../../src/lib/mac.ts'
import type { LegIntent, LocationIntent, RouteIntent } from '../../../../src/model/intent.ts'
import { type Key, makeKey } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import { makeMatch } from '../flow/make.ts'
import { type Action, type FieldValue, type Match, PORT } from '../flow/types.ts'
import { type FlowSpec, flowItem, goto, move, moveInto, moveTo, output, resubmit, set, setField, setWide } from './build.ts'
import { cookieOf, cookieOfSet } from './cookie.ts'
import { type MeterConfig, meterItem } from './meters.ts'
import type { Numbers } from './numbers.ts'
import { ANY_ROUTER, FAULT, type Fault, ORIGIN, type RegisterMatch, registerBits, subfieldOf, target } from './registers.ts'
import { joinedNetworks, type RouterView } from './routers.ts'
import { ndAnswer } from './shared.ts'
import { AFTER_LEARN, DELIVER, UNANSWERED } from './stages.ts'
import { tell } from './traps.ts'
import { ARP_REQUEST, addressMatch, IP, IPV6, icmp6, macMatch, NS, prefixMatch, RS } from './words.ts'

/*
 * Routing is done where packets come from: the host of the sender knows the routers that the sender can reach, and every address behind them, and what it hands to
 * another host is on the receiver's network already. A router is the same MAC and the same addresses on every host, so each host answers for it.
 */

type Part = Omit<FlowSpec, 'cookie' | 'owners'>

/** What Linux sets; a packet that the router itself makes begins with it. */
const OWN_TTL = 64n
const ECHO: Match = makeMatch({ eth_type: 0x0800, ip_proto: 1, icmp_type: 8 })
const ECHO6: Match = icmp6(128)

/** Nobody forwards these, nor says so: to a group, to or from an address of the link (RFC 3927, 7; RFC 4291, 2.5.6), to everybody, to no one. */
const NEVER_FORWARDED: readonly Match[] = [
  ...['224.0.0.0/4', '240.0.0.0/4', '169.254.0.0/16', '127.0.0.0/8', '0.0.0.0/8'].map((to) => ({ ...IP, ...within('ip_dst', to) })),
  ...['224.0.0.0/4', '240.0.0.0/4', '169.254.0.0/16', '127.0.0.0/8', '0.0.0.0/8'].map((from) => ({ ...IP, ...within('ip_src', from) })),
  ...['ff00::/8', 'fe80::/10', '::/127'].map((to) => ({ ...IPV6, ...within('ipv6_dst', to) })),
  ...['ff00::/8', 'fe80::/10', '::/127'].map((from) => ({ ...IPV6, ...within('ipv6_src', from) })),
]
/** Words among neighbours (RFC 4861) and to routers on the link (RFC 3810). */
const ON_LINK_ONLY: readonly Match[] = [130, 131, 132, 133, 134, 135, 136, 137, 143].map(icmp6)
const NO_HOP_LEFT: readonly Match[] = [IP, IPV6].flatMap((ip) => [0n, 1n].map((value) => ({ ...ip, nw_ttl: { value } })))

/** The packet ends here, and its sender is to hear why. */
function refuse(fault: Fault): readonly Action[] {
  return [set('fault', FAULT[fault]), goto('router_fault')]
}

function within(field: 'ip_src' | 'ip_dst' | 'ipv6_src' | 'ipv6_dst', prefix: string): Match {
  const wanted = prefixMatch(prefix).field
  return wanted === undefined ? {} : { [field]: wanted }
}

/** What is the same for all routers. */
export function routingItems(host: string): readonly Item[] {
  const part = (priority: number, match: Match, actions: Part['actions']): Part => ({ table: 'router_own', priority, match, actions })
  const parts: Part[] = [
    { table: 'respond', priority: 55, registers: { nd_ask: 1, target: ANY_ROUTER }, match: NS, actions: ndAnswer('router') },
    ...[...NEVER_FORWARDED, ...ON_LINK_ONLY].map((match) => part(50, match, [])),
    ...NO_HOP_LEFT.map((match) => part(40, match, refuse('hop_limit'))),
    part(0, {}, []),
    { table: 'responder', priority: 140, registers: { origin: ORIGIN.local }, match: RS, actions: [goto('advertise')] },
    { table: 'advertise', priority: 0, actions: [goto(UNANSWERED)] },
    { table: 'route', priority: 0, actions: refuse('no_route') },
    { table: 'neighbour', priority: 60, registers: { too_big: 1 }, actions: refuse('too_big') },
    { table: 'neighbour', priority: 0, actions: refuse('no_neighbour') },
    ...ANSWER_PARTS,
    { table: 'router_back', priority: 0, actions: [output(PORT.IN_PORT)] },
    ...(['router_answer', 'router_fault'] as const).map((table): Part => ({ table, priority: 0, actions: [] })),
  ]
  const common = { cookie: cookieOfSet('pipeline'), owners: [makeKey('host', '', host)] }
  return parts.map((p) => flowItem({ ...common, ...p }))
}

/** Where a leg leads to, in numbers of this host. */
export interface LegWay {
  readonly router: number
  readonly network: number
  /** What the network carries, in bytes, where that is less than on another network of the router. */
  readonly mtu?: number
}

/** What a router answers itself on a leg's addresses, who is next to it there, and who may send from there. */
export function legRoutingItems(leg: LegIntent, way: LegWay): readonly Item[] {
  return [...answerItems(leg, way), ...connectedItems(leg, way), ...leg.addresses.map((text) => fromItem(leg.router, text, way))]
}

/**
 * Forwarded is what comes from where an answer would be sent to (RFC 3704, 2.3, feasible paths): the prefixes of the leg, and those to which a route leads by it. So a port that nobody guards speaks for
 * its own network and not for the others of the router.
 */
function fromItem(owner: Key, prefix: string, { router, network }: LegWay): Item {
  const { family, field } = prefixOf(prefix)
  const from: Match = field === undefined ? {} : family === 4 ? { ip_src: field } : { ipv6_src: field }
  return item(owner, {
    table: 'router_own',
    priority: 10,
    registers: { router, entered: network },
    match: { ...(family === 4 ? IP : IPV6), ...from },
    actions: [goto('route')],
  })
}

/**
 * Pings of the router's addresses, to whichever of its MACs they came (Linux answers so, too). The parts of a ping in fragments are not put together. Nothing else is there.
 */
function answerItems(leg: LegIntent, { router }: LegWay): readonly Item[] {
  return leg.addresses.flatMap((text) => {
    const { family, field } = addressMatch(text.slice(0, text.indexOf('/')))
    const [ping, to]: [Match, Match] =
      family === 4
        ? [
            { ...ECHO, ip_dst: field },
            { ...IP, ip_dst: field },
          ]
        : [
            { ...ECHO6, ipv6_dst: field },
            { ...IPV6, ipv6_dst: field },
          ]
    return [
      answered(leg, { router }, ping),
      item(leg.router, { table: 'router_own', priority: 90, registers: { router }, match: to, actions: refuse('no_port') }),
    ]
  })
}

/**
 * Where a router speaks from to who sends by one network. The responder takes the address that is nearest to the sender. Where the router has none of a family there, IPv6 speaks from that of the link
 * (RFC 4443, 2.2), and IPv4 does not come that way.
 */
export function faultItems(legs: readonly LegIntent[], { router, network }: LegWay, meter: MeterConfig): readonly Item[] {
  const [leg] = legs
  if (leg === undefined) return []
  const addresses = legs.flatMap((l) => l.addresses).map(addressBytes)
  const sources = [
    [IP, addresses.filter((a) => a.length === 5)],
    [IPV6, [...addresses.filter((a) => a.length === 17), addressBytes(`${formatIp(6, linkLocalAddress(leg.mac))}/64`)]],
  ] as const
  const flows = sources.flatMap(([match, list]) =>
    list.length === 0
      ? []
      : [
          item(leg.router, {
            table: 'router_fault',
            priority: 50,
            registers: { router, entered: network },
            match,
            actions: [tell('fault', { meter: meter.meter, data: Buffer.concat(list) })],
          }),
        ],
  )
  return [meterItem([leg.network], meter), ...flows]
}

/** The address, and behind it the length of its prefix in one byte. */
function addressBytes(text: string): Buffer {
  const { family, field } = addressMatch(text.slice(0, text.indexOf('/')))
  const bytes = ipBytes({ family, value: field.value })
  return Buffer.concat([bytes, Buffer.from([Number(text.slice(text.indexOf('/') + 1))])])
}

/** What the responder is asked for in a second, for each network: more than any healthy network needs. */
const ASKED_PER_SECOND = 100

function askedMeterName(network: Key): string {
  return `asked ${network}`
}

/** Names of the meters of all networks on which a router is, in the pool of numbers. */
export function askedMeterNames(routers: readonly RouterView[]): readonly string[] {
  return joinedNetworks(routers).map(askedMeterName)
}

export function askedMeter(network: Key, numbers: Numbers): MeterConfig {
  return {
    meter: numbers.of('meter', askedMeterName(network)),
    unit: 'pktps',
    bands: [{ type: 'drop', rate: ASKED_PER_SECOND, burst: ASKED_PER_SECOND }],
  }
}

function answered(leg: LegIntent, registers: RegisterMatch, match: Match): Item {
  return item(leg.router, { table: 'router_own', priority: 100, registers, match, actions: [goto('router_answer')] })
}

/** What routers say to a port, in a way of its own: with the tag of a subport, with copies for who listens. */
export function backTo(asker: number, back: readonly Action[]): Part {
  return { table: 'router_back', priority: 50, registers: { target: asker }, actions: back }
}

const ECHO_REPLY: readonly Action[] = [move('ip_dst', 'reg6'), move('ip_src', 'ip_dst'), move('reg6', 'ip_src'), setField('icmp_type', 0n)]

const ECHO_REPLY6: readonly Action[] = [
  moveInto('ipv6_dst', 'claim'),
  move('ipv6_src', 'ipv6_dst'),
  moveTo('claim', 'ipv6_src'),
  setField('icmpv6_type', 129n),
]

/**
 * The answer goes straight back, as from the MAC that was asked, also where routers asked each other. (Not by way of the tables that hand frames over: Open vSwitch 3.1 is caught for
 * ever when it is asked to trace a packet whose ICMP type is set and that meets a meter both before and inside of a nested action; decision 065.)
 */
const ANSWER_PARTS: readonly Part[] = [[ECHO, ECHO_REPLY] as const, [ECHO6, ECHO_REPLY6] as const].map(([ping, reply]) => ({
  table: 'router_answer',
  priority: 50,
  match: ping,
  actions: [moveTo('owner_mac', 'eth_dst'), moveTo('lladdr', 'eth_src'), ...reply, setField('nw_ttl', OWN_TTL), goto('router_back')],
}))

/** The prefixes that the leg's addresses lie in are next to it: who is there has the address that the packet goes to. */
function connectedItems(leg: LegIntent, way: LegWay): readonly Item[] {
  return leg.addresses.map((text) => {
    const { family, field, length } = prefixOf(text)
    const next = moveInto(family === 4 ? 'ip_dst' : 'ipv6_dst', 'claim')
    return item(leg.router, {
      table: 'route',
      priority: routePriority(length, true),
      registers: { router: way.router },
      match: destination(family, field),
      actions: [DEC_TTL, next, ...outBy(leg, way), goto('neighbour')],
    })
  })
}

/** The way by somebody who is next to one of the router's legs. */
/** Next hops of a route that are on a network from which packets can go there. */
export interface Hop {
  readonly address: string
  readonly leg: LegIntent
  readonly way: LegWay
}

/** Packets are shared out among several hops; which one of them is dead nobody knows here. */
export function routeItems(route: RouteIntent, router: number, hops: readonly Hop[]): readonly Item[] {
  const { family, field, length } = prefixOf(route.destination)
  const part = (table: 'route' | 'hops', more: RegisterMatch, actions: readonly Action[]): Item =>
    item(route.router, {
      table,
      priority: routePriority(length, false),
      registers: { router, ...more },
      match: destination(family, field),
      actions,
    })
  const toward = ({ address, leg, way }: Hop): readonly Action[] => [
    DEC_TTL,
    setWide('claim', addressMatch(address).field.value),
    ...outBy(leg, way),
  ]
  const [only, ...others] = hops
  if (only === undefined) return []
  const from = [...new Map(hops.map(({ way }) => [way.network, way])).values()].map((way) => fromItem(route.router, route.destination, way))
  if (others.length === 0) return [part('route', {}, [...toward(only), goto('neighbour')]), ...from]
  return [
    part('route', {}, [pickHop(hops.length), goto('hops')]),
    ...hops.map((hop, n) => part('hops', { hop: n }, [...toward(hop), resubmit('neighbour')])),
    ...from,
  ]
}

/** Rendezvous hashing: where a hop comes or goes, no connection moves that does not have to. */
function pickHop(links: number): Action {
  return { kind: 'multipath', fields: 'symmetric_l3l4+udp', basis: 0, algorithm: 'hrw', links, arg: 0, dst: subfieldOf('hop') }
}

const DEC_TTL: Action = { kind: 'dec_ttl' }

/** The longest prefix wins; of two of one length the one that is directly there. */
function routePriority(length: number, connected: boolean): number {
  return 100 + 2 * length + (connected ? 1 : 0)
}

function destination(family: 4 | 6, field: FieldValue | undefined): Match {
  const to: Match = field === undefined ? {} : family === 4 ? { ip_dst: field } : { ipv6_dst: field }
  return { ...(family === 4 ? IP : IPV6), ...to }
}

function outBy({ mac }: LegIntent, { network, mtu }: LegWay): readonly Action[] {
  return [set('network', network), setField('eth_src', macMatch(mac).value), ...(mtu === undefined ? [] : measured(mtu))]
}

/** Frames have no VLAN tag here. That the packet may not be divided is not asked: who sends has to hear of it either way, as flows divide nothing. */
const ETHERNET_HEADER = 14

function measured(mtu: number): readonly Action[] {
  return [set('path_mtu', mtu), { kind: 'check_pkt_larger', size: mtu + ETHERNET_HEADER, dst: subfieldOf('too_big') }]
}

/** A leg as its network's ports on this host see it. */
export interface LegContext {
  /** `joined`: as what the network is known to routers; `network`: the part of it that the ports are in. */
  readonly joined: number
  readonly network: number
  readonly router: number
  readonly up: boolean
  /** The network notes senders it does not know; the router is not among them. */
  readonly learning: boolean
}

/** The MAC of a router on a network, and who to name when its addresses are asked for. A router that is down is silent. */
export function legItems(leg: LegIntent, { joined, network, router, up, learning }: LegContext): readonly Item[] {
  const mac = macMatch(leg.mac)
  const self = target('router', router)
  const local = { network, origin: ORIGIN.local }
  const asked = [moveInto('eth_src', 'owner_mac'), moveInto('eth_dst', 'lladdr'), move('reg1', 'reg2')]
  const entry = up ? [...asked, set('sender', self), set('router', router), set('entered', joined), goto('router_own')] : []
  const out = [item(leg.router, { table: 'router', priority: 50, registers: local, match: { eth_dst: mac }, actions: entry })]
  if (learning) {
    const declared: Part = { table: 'learn', priority: 50, registers: { network }, match: { eth_src: mac }, actions: [goto(AFTER_LEARN)] }
    out.push(item(leg.router, declared))
  }
  if (!up) return out
  // A link-local address is on its own link only.
  const linkLocal = { value: linkLocalAddress(leg.mac) }
  out.push(answered(leg, { router, network, hopped: 0 }, { ...ECHO6, ipv6_dst: linkLocal }))
  const name: readonly Action[] = [set('target', self), setWide('owner_mac', mac.value), goto('respond')]
  for (const { family, field } of ownAddresses(leg)) {
    const [table, ask, still] =
      family === 4
        ? (['respond_arp', { ...ARP_REQUEST, arp_tpa: field }, {}] as const)
        : (['respond_nd', { ...NS, nd_target: field }, { nw_ttl: { value: 255n } }] as const)
    out.push(item(leg.router, { table, priority: 50, registers: { network }, match: ask, actions: name }))
    // Who knows it asks it alone whether it is still there (RFC 1122, 2.3.2.1; RFC 4861, 7.3).
    const asked = { ...ask, ...still, eth_dst: mac }
    const actions = family === 4 ? name : [set('nd_ask', 1), ...name]
    out.push(item(leg.router, { table: 'responder', priority: 130, registers: local, match: asked, actions }))
  }
  return out
}

/** So that it may go back to the port that it came in by. */
const FROM_NOWHERE: Action = { kind: 'load', dst: { field: 'in_port', start: 0, bits: 16 }, value: 0n }

/** What a port's neighbours on a routed network need: as what `joined` its network is known to routers, `network` the number of the part of it that the port is in. */
export interface NeighbourContext {
  readonly joined: number
  readonly network: number
  readonly targets: readonly number[]
}

/** Routed packets for a port, wherever it lives. */
export function neighbourItems(location: LocationIntent, { joined, network, targets }: NeighbourContext): readonly Item[] {
  const [first = 0, ...more] = targets
  if (!location.admin_state_up) return []
  const part = joined === network ? [] : [set('network', network)]
  const copies = more.flatMap((next) => [resubmit(DELIVER), set('target', next)])
  const actions = [...part, setField('eth_dst', macMatch(location.mac).value), FROM_NOWHERE, set('target', first), ...copies, goto(DELIVER)]
  return location.ips.map((ip) => {
    const { family, field } = addressMatch(ip)
    return flowItem({
      table: 'neighbour',
      priority: 50,
      cookie: cookieOf(location.port),
      owners: [location.port],
      registers: { network: joined },
      match: { ...(family === 4 ? IP : IPV6), ...registerBits('claim', family === 4 ? 32 : 128, field) },
      actions,
    })
  })
}

/** The way from one router to another on the same network. */
export function hopItems(leg: LegIntent, { router, network }: LegWay): readonly Item[] {
  return leg.addresses.map((text) => {
    const { family, field } = addressMatch(text.slice(0, text.indexOf('/')))
    return item(leg.router, {
      table: 'neighbour',
      priority: 50,
      registers: { network },
      match: { ...(family === 4 ? IP : IPV6), ...registerBits('claim', family === 4 ? 32 : 128, field) },
      actions: [set('router', router), set('hopped', 1), set('entered', network), resubmit('router_own')],
    })
  })
}

/** IPv6 link-local of the MAC is there, too. */
function ownAddresses({ addresses, mac }: LegIntent): readonly { readonly family: 4 | 6; readonly field: FieldValue }[] {
  return [
    ...addresses.map((text) => addressMatch(text.slice(0, text.indexOf('/')))),
    { family: 6, field: { value: linkLocalAddress(mac) } },
  ]
}

function prefixOf(text: string): { readonly family: 4 | 6; readonly field?: FieldValue; readonly length: number } {
  const cidr = parseCidr(text)?.cidr
  if (cidr === undefined) throw new Error(`an intent holds "${text}", which is no prefix`)
  return { ...prefixMatch(formatCidr(cidr)), length: cidr.prefix }
}

function item(owner: Key, part: Part): Item {
  return flowItem({ ...part, cookie: cookieOf(owner), owners: [owner] })
}
