import { formatIp } from '../../../src/lib/ip.ts'
import { linkLocalAddress } from '../../../src/lib/mac.ts'
import type { Item } from '../backend.ts'
import { passes, type Rules } from './filter.ts'
import { type Arrival, type Departure, type Frame, isGroup } from './frame.ts'
import { maySend } from './guard.ts'
import { type Routed, routed } from './routing.ts'
import { type Attachment, type Carrier, isFakeEntry, type Listener, type Location, type Router, type Segment } from './tables.ts'

/** What a switch has learned: `network mac` → where that sender was last seen. */
export type Learned = Map<string, Departure>

type Origin = 'local' | 'tunnel' | 'provider'

/** A frame that was let in. */
interface Admitted {
  readonly network: string
  readonly carrier: Carrier
  readonly origin: Origin
  /** The way back to the sender. */
  readonly back: Departure
}

/**
 * The model: tells where a frame goes that comes into a host whose switch holds these items. Written from the rules, not from any flow, so that it
 * can be held against the real switch.
 */
export function forward(items: ReadonlyMap<string, Item>, learned: Learned, arrival: Arrival, frame: Frame): readonly Departure[] {
  const tables = tablesOf(items)
  const copied = tables.listeners.find((l) => l.from.some((from) => sameArrival(from, arrival)) && frame.vlan === undefined)
  if (copied !== undefined)
    return handed(
      tables,
      copied.ways.filter((way) => way.by === 'port'),
    )
  const ways = delivered(tables, learned, arrival, frame)
  const listening = (which: 'sent' | 'received', port: string): readonly Departure[] =>
    tables.listeners.filter((l) => l[which].some((p) => p === port)).flatMap((l) => l.ways)
  // Copies are not copied: only what goes its own way counts.
  const received = ways.flatMap((way) => (way.by === 'port' ? listening('received', way.port) : []))
  const sent = arrival.by === 'port' && isTaken(tables, arrival.port, frame) ? listening('sent', arrival.port) : []
  return [...ways, ...handed(tables, [...sent, ...received])]
}

function sameArrival(a: Arrival, b: Arrival): boolean {
  return a.by === 'tunnel' && b.by === 'tunnel' && a.type === b.type && a.key === b.key && a.from === b.from
}

/** A copy asks no rule, but it takes a port that is there. */
function handed({ attachments }: Tables, ways: readonly Departure[]): readonly Departure[] {
  return ways.filter((way) => way.by !== 'port' || attachments.some((a) => a.port === way.port))
}

/** The switch knows the port, and whose frame it is. */
function isTaken({ attachments, segments }: Tables, port: string, frame: Frame): boolean {
  const at = attachments.find((a) => a.port === port)
  return at !== undefined && segments.some((s) => s.network === at.network) && !isTagged(frame)
}

function delivered(tables: Tables, learned: Learned, arrival: Arrival, frame: Frame): readonly Departure[] {
  const admitted = admit(tables, arrival, frame)
  if (admitted === undefined) return []
  const net = netOf(tables, admitted)
  if (isGroup(frame.src)) return []
  const route = admitted.origin === 'local' ? routed(tables.routers, wholeOf(tables, admitted.network), frame) : undefined
  const ways = route === undefined ? waysOf(net, learned, admitted, frame) : routedWays(tables, admitted, frame, route)
  // A frame does not profit from what is learned from it.
  if (isOpen(net) && !net.locations.some((l) => l.mac === frame.src)) learned.set(`${admitted.network} ${frame.src}`, admitted.back)
  return ways
}

function wholeOf({ segments }: Tables, network: string): string {
  return segments.find((s) => s.network === network)?.whole ?? network
}

/** What a router hands on is on the receiver's network, from the router; and may go to the very port that it came from. */
function routedWays(tables: Tables, { back }: Admitted, frame: Frame, route: Routed): readonly Departure[] {
  if (route.to === 'nobody') return []
  if (route.to === 'sender') return [back]
  const next = formatIp(route.next.family, route.next.value)
  for (const { network, carrier } of tables.segments.filter((s) => s.whole === route.network)) {
    const location = tables.locations.find((l) => l.network === network && l.up && l.ips.includes(next))
    if (location === undefined) continue
    const as = { src: route.src, dst: location.mac }
    const from: Admitted = { network, carrier, origin: 'local', back: { by: 'provider', bridge: '' } }
    const net = { ...netOf(tables, from), attachments: tables.attachments.filter((a) => a.network === network) }
    return permitted(net, from, frame, reach(location, carrier)).map((way) => ({ ...way, as }))
  }
  return []
}

function waysOf(net: Net, learned: Learned, admitted: Admitted, frame: Frame): readonly Departure[] {
  const asked = askedOwner(net.locations, frame)
  if (asked !== undefined && !isSender(asked, admitted)) {
    if (admitted.origin === 'local' && mayAnswer(frame)) return [admitted.back]
    // From another host about a port that is not here, it may be the owner's own question: that is flooded.
    const toOwner = frame.body.type === 'icmp6' && (admitted.origin === 'local' || asked.at.some((p) => 'here' in p))
    if (toOwner) return permitted(net, admitted, frame, reach(asked, net.carrier).slice(0, 1))
  }
  if (isGroup(frame.dst))
    return permitted(
      net,
      admitted,
      frame,
      everyone(net, () => true),
    )
  const known = net.locations.find((l) => l.mac === frame.dst)
  if (known !== undefined) return permitted(net, admitted, frame, reach(known, net.carrier))
  const seen = learned.get(`${admitted.network} ${frame.dst}`)
  return permitted(net, admitted, frame, seen === undefined ? everyone(net, (l) => mayUse(l, frame.dst)) : [seen])
}

interface Tables extends Rules {
  readonly attachments: readonly Attachment[]
  readonly locations: readonly Location[]
  readonly segments: readonly Segment[]
  readonly listeners: readonly Listener[]
  readonly routers: readonly Router[]
}

/** One network as this switch knows it; ports that nothing carries frames to are not in it. */
interface Net {
  readonly rules: Rules
  readonly carrier: Carrier
  readonly attachments: readonly Attachment[]
  readonly locations: readonly Location[]
}

function tablesOf(items: ReadonlyMap<string, Item>): Tables {
  const entries = [...items.values()].map((item) => item.value).filter(isFakeEntry)
  return {
    attachments: entries.filter((e) => e.table === 'attachment'),
    locations: entries.filter((e) => e.table === 'location').sort((a, b) => (a.port < b.port ? -1 : 1)),
    segments: entries.filter((e) => e.table === 'segment'),
    groups: entries.filter((e) => e.table === 'group'),
    remotes: entries.filter((e) => e.table === 'remote'),
    listeners: entries.filter((e) => e.table === 'listener'),
    routers: entries.filter((e) => e.table === 'router'),
  }
}

function netOf(rules: Tables, { network, carrier }: Admitted): Net {
  const { attachments, locations } = rules
  return {
    rules,
    carrier,
    attachments: attachments.filter((a) => a.network === network),
    locations: locations.filter((l) => l.network === network && reach(l, carrier).length > 0),
  }
}

/** Nothing is let in that no entry speaks for. */
function admit(tables: Tables, arrival: Arrival, frame: Frame): Admitted | undefined {
  if (arrival.by === 'port') {
    const port = tables.attachments.find((a) => a.port === arrival.port)
    const segment = tables.segments.find((s) => s.network === port?.network)
    if (port === undefined || segment === undefined || isTagged(frame)) return undefined
    if (port.port_security_enabled && !maySend(port, frame)) return undefined
    if (!passes(tables, port, 'egress', frame)) return undefined
    return {
      network: port.network,
      carrier: segment.carrier,
      origin: 'local',
      back: { by: 'port', port: port.port },
    }
  }
  for (const segment of tables.segments) {
    const back = backFrom(segment, arrival, frame)
    if (back !== undefined) return { network: segment.network, carrier: segment.carrier, origin: arrival.by, back }
  }
  return undefined
}

/** Also by a tag that is written as the ethertype: the second one of a subport's frame. */
function isTagged({ vlan, body }: Frame): boolean {
  return vlan !== undefined || (body.type === 'other' && (body.ethertype === 0x8100 || body.ethertype === 0x88a8))
}

function backFrom({ carrier }: Segment, arrival: Arrival, frame: Frame): Departure | undefined {
  if (arrival.by === 'tunnel' && carrier.by === 'tunnel') {
    const fits = carrier.type === arrival.type && carrier.key === arrival.key && frame.vlan === undefined
    return fits && Object.values(carrier.senders).includes(arrival.from)
      ? { by: 'tunnel', type: carrier.type, key: carrier.key, to: arrival.from }
      : undefined
  }
  const fits = arrival.by === 'provider' && carrier.by === 'provider' && carrier.bridge === arrival.bridge && carrier.vlan === frame.vlan
  return fits ? outside(carrier) : undefined
}

function outside({ bridge, vlan }: { readonly bridge: string; readonly vlan?: number }): Departure {
  return { by: 'provider', bridge, ...(vlan === undefined ? {} : { vlan }) }
}

/** The ways to a port, this host first; none when nothing carries frames there. */
function reach({ at, port }: Location, carrier: Carrier): readonly Departure[] {
  const local = at.flatMap((place): Departure[] => ('here' in place ? [{ by: 'port', port }] : []))
  const away = at.flatMap((place) => ('host' in place ? [place.host] : []))
  if (carrier.by === 'provider') return away.length === 0 ? local : [...local, outside(carrier)]
  if (carrier.by === 'nothing') return local
  const { type, key, peers } = carrier
  return [
    ...local,
    ...away.flatMap((host): Departure[] => (peers[host] === undefined ? [] : [{ by: 'tunnel', type, key, to: peers[host] }])),
  ]
}

/** Frames of other hosts are never sent on to other hosts, nothing goes back where it came from, and a port has to be plugged and its security groups have to agree. */
function permitted(net: Net, { origin, back }: Admitted, frame: Frame, ways: readonly (Departure | undefined)[]): readonly Departure[] {
  return ways.filter((way): way is Departure => {
    if (way === undefined) return false
    if (way.by !== 'port') return origin === 'local'
    const at = net.attachments.find((a) => a.port === way.port)
    return at !== undefined && !(back.by === 'port' && back.port === way.port) && passes(net.rules, at, 'ingress', frame)
  })
}

/** The ports for which `which` holds, and what leads to hosts that have such a port. */
function everyone({ carrier, locations }: Net, which: (port: Location) => boolean): (Departure | undefined)[] {
  const ports = locations.filter((l) => l.up && which(l))
  const out: (Departure | undefined)[] = ports.flatMap((l): Departure[] =>
    l.at.some((p) => 'here' in p) ? [{ by: 'port', port: l.port }] : [],
  )
  if (carrier.by === 'provider') out.push(outside(carrier))
  if (carrier.by === 'tunnel') {
    for (const host of new Set(ports.flatMap((l) => l.at.flatMap((p) => ('host' in p ? [p.host] : []))))) {
      const to = carrier.peers[host]
      if (to !== undefined) out.push({ by: 'tunnel', type: carrier.type, key: carrier.key, to })
    }
  }
  return out
}

/** Unicast to an address nobody declared: for ports without port security, and for those whose address pairs name it. */
function mayUse(location: Location, mac: string): boolean {
  return !location.port_security_enabled || location.other_macs.includes(mac)
}

/** Addresses that nobody declared as a port's own can exist. */
function isOpen({ carrier, locations }: Net): boolean {
  return carrier.by === 'provider' || locations.some((l) => l.up && (!l.port_security_enabled || l.other_macs.length > 0))
}

/** The port that a broadcast ARP request or a multicast neighbour solicitation asks for. */
function askedOwner(locations: readonly Location[], { dst, body }: Frame): Location | undefined {
  if (body.type === 'arp' && body.op === 1 && dst === 'ff:ff:ff:ff:ff:ff') return locations.find((l) => l.up && l.ips.includes(body.tpa))
  if (body.type !== 'icmp6' || body.kind !== 135 || !isGroup(dst) || body.target === undefined) return undefined
  const { target } = body
  return locations.find(
    (l) => l.up && (l.ips.includes(target) || (l.port_security_enabled && target === formatIp(6, linkLocalAddress(l.mac)))),
  )
}

/** Duplicate address detection is the owner's to answer, and so is a solicitation without the option that an answer turns round. */
function mayAnswer({ body }: Frame): boolean {
  return body.type === 'arp' || (body.type === 'icmp6' && body.src !== '::' && body.sll !== undefined)
}

function isSender(owner: Location, { back }: Admitted): boolean {
  return back.by === 'port' && back.port === owner.port
}
