import { BlockList } from 'node:net'
import { BROADCAST, type Frame, familyOf, type IpBody } from './frame.ts'
import type { Written, WrittenPort, WrittenRule } from './written.ts'

/**
 * Who is to receive a frame, told from what is written and from what the kinds' READMEs and Neutron promise. It knows nothing of intents, flows or how they are made:
 * it shares no code with what it judges.
 */
export interface Expected {
  /** Exactly these, by name; the sender's own name: the switch answers. */
  readonly must: readonly string[]
  /** These may hear it too: ports without port security, of a frame whose receiver is out of reach. */
  readonly may: readonly string[]
  /** `look p`: the frame is looked up among the connections of port p. `keep p egress`: its connection is kept there, as one that p began (`ingress`: somebody else). `refuse p …`: a known connection that no rule of p allows any more is noted as refused. Sorted. */
  readonly noted: readonly string[]
  /** Broadcasts: a copy is made for the sender too, and its rules look at it before Open vSwitch leaves it out; what is noted on the way is not compared. */
  readonly loud?: true
}

const NOBODY: Expected = { must: [], may: [], noted: [] }

export function expected(written: Written, sender: string, frame: Frame): Expected {
  const from = portOf(written, sender)
  if (!carries(written, from) || frame.vlan !== undefined) return NOBODY
  if (isGuarded(from) && !maySend(from, frame)) return NOBODY
  const out = judge(written, sender, 'egress', frame)
  if (!out.passes) return { ...NOBODY, noted: [...out.noted].sort() }
  const { to, answered, may } = receiversOf(written, sender, frame)
  if (answered) return { must: [sender], may: [], noted: [...out.noted].sort() }
  const judged = to.map((name) => ({ name, ...judge(written, name, 'ingress', frame) }))
  return {
    must: judged
      .filter((j) => j.passes)
      .map((j) => j.name)
      .sort(),
    may,
    noted: [...out.noted, ...judged.flatMap((j) => j.noted)].sort(),
    ...(frame.dst === BROADCAST ? { loud: true } : {}),
  }
}

function portOf({ ports }: Written, name: string): WrittenPort {
  const port = ports[name]
  if (port === undefined) throw new Error(`no port ${name}`)
  return port
}

function carries({ networks }: Written, port: WrittenPort): boolean {
  return port.host !== undefined && port.admin_state_up !== false && networks[port.network]?.admin_state_up !== false
}

function isGuarded(port: WrittenPort): boolean {
  return port.port_security_enabled !== false
}

/** Port security: own addresses, the allowed pairs, and no word that belongs to routers and DHCP servers (`docs/PIPELINE.md`, "Who may send what"). */
function maySend(port: WrittenPort, { src, body }: Frame): boolean {
  if (!pairsOf(port).some((p) => p.mac === src)) return false
  switch (body.is) {
    case 'other':
      return false
    case 'arp':
      return body.sha === src && owns(port, src, body.op === 1 && body.spa === '0.0.0.0' ? body.tpa : body.spa)
    case 'ip':
      if (isUdp(body, 67, 68) || isUdp(body, 547, 546) || isNd(body, 134)) return false
      if (body.nd !== undefined && body.nd.lladdr !== src) return false
      if (isNd(body, 136) && !owns(port, src, body.nd?.target ?? '')) return false
      return owns(port, src, body.from)
  }
}

interface AllowedPair {
  readonly mac: string
  readonly prefix: string
}

function pairsOf(port: WrittenPort): readonly AllowedPair[] {
  const own = port.mac_address
  const pairs = [
    ...port.fixed_ips.map((f) => ({ mac: own, prefix: f.ip_address })),
    ...(port.allowed_address_pairs ?? []).map((p) => ({ mac: p.mac_address ?? own, prefix: p.ip_address })),
  ]
  const macs = [...new Set([own, ...pairs.map((p) => p.mac)])]
  return [...pairs, ...macs.map((mac) => ({ mac, prefix: linkLocal(mac) }))]
}

/** RFC 4291, appendix A: every MAC may speak under the link-local address that follows from it. */
export function linkLocal(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map((part) => Number.parseInt(part, 16))
  const words = [((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f]
  return `fe80::${words.map((w) => w.toString(16)).join(':')}`
}

function owns(port: WrittenPort, mac: string, address: string): boolean {
  return pairsOf(port).some((p) => p.mac === mac && contains(p.prefix, address))
}

interface Receivers {
  readonly to: readonly string[]
  readonly answered?: true
  readonly may: readonly string[]
}

/** Where a frame goes inside its network: to the one it is for; to everyone; an address that nobody declared, to those who may have it. */
function receiversOf(written: Written, sender: string, { dst, body }: Frame): Receivers {
  const from = portOf(written, sender)
  const near = Object.entries(written.ports).filter(([name, p]) => name !== sender && p.network === from.network)
  const reached = near.filter(([, p]) => carries(written, p) && isReached(written, from, p))
  const open = reached.filter(([, p]) => !isGuarded(p)).map(([name]) => name)
  if (dst === BROADCAST) {
    const asked = body.is === 'arp' && body.op === 1 ? body.tpa : undefined
    if (reached.some(([, p]) => p.fixed_ips.some((f) => f.ip_address === asked))) return { to: [], answered: true, may: [] }
    return { to: reached.map(([name]) => name), may: [] }
  }
  const owner = near.find(([, p]) => p.mac_address === dst)
  if (owner === undefined) {
    const users = reached.filter(([, p]) => isGuarded(p) && pairsOf(p).some((pair) => pair.mac === dst)).map(([name]) => name)
    return { to: [...open, ...users], may: [] }
  }
  return reached.some(([name]) => name === owner[0]) ? { to: [owner[0]], may: [] } : { to: [], may: open }
}

/** A local network ends at its host. */
function isReached({ networks }: Written, from: WrittenPort, to: WrittenPort): boolean {
  return from.host === to.host || networks[from.network]?.network_type !== 'local'
}

interface Judged {
  readonly passes: boolean
  readonly noted: readonly string[]
}

/** What the security groups of one port make of a frame that it sends (egress) or is to receive (ingress). */
function judge(written: Written, name: string, direction: WrittenRule['direction'], { body, connection }: Frame): Judged {
  const port = portOf(written, name)
  const groups = groupsOf(port)
  if (groups === undefined || isFree(body, direction)) return { passes: true, noted: [] }
  if (body.is !== 'ip') return { passes: false, noted: [] }
  const passes = groups.some((g) => rulesOf(written, g).some((rule) => allows(written, port, rule, direction, body)))
  if (groups.some((g) => written.security_groups[g]?.stateful === false)) return { passes, noted: [] }
  return tracked(name, direction, passes, connection)
}

/** Where connections are tracked, answers and what is related ask no rule; a known connection is held against the rules each time. */
function tracked(name: string, direction: WrittenRule['direction'], byRule: boolean, connection: Frame['connection']): Judged {
  const look = `look ${name}`
  if (connection === 'invalid') return { passes: false, noted: [look] }
  if (connection === 'answer' || connection === 'related') return { passes: true, noted: [look] }
  if (byRule) return { passes: true, noted: connection === 'new' ? [look, `keep ${name} ${direction}`] : [look] }
  return { passes: false, noted: connection === 'known' ? [look, `refuse ${name} ${direction}`] : [look] }
}

/** Undefined: under no rules. */
function groupsOf(port: WrittenPort): readonly string[] | undefined {
  return isGuarded(port) ? (port.security_groups ?? ['default']) : undefined
}

/** What a guest needs to be on its network at all asks no rule: ARP, neighbour discovery, MLD, its own DHCP (Neutron's OVS firewall does the same). */
function isFree(body: Frame['body'], direction: WrittenRule['direction']): boolean {
  if (body.is === 'arp') return true
  if (body.is === 'other') return false
  const types = direction === 'egress' ? [130, 131, 132, 133, 135, 136, 143] : [130, 134, 135, 136]
  if (types.some((type) => isNd(body, type))) return true
  return direction === 'egress' ? isUdp(body, 68, 67) || isUdp(body, 546, 547) : isUdp(body, 67, 68) || isUdp(body, 547, 546)
}

function isNd({ protocol, icmp }: IpBody, type: number): boolean {
  return protocol === 58 && icmp?.type === type
}

/** DHCP's ports are those of one family. */
function isUdp({ from, protocol, sport, dport }: IpBody, source: number, destination: number): boolean {
  return protocol === 17 && sport === source && dport === destination && familyOf(from) === (source < 500 ? 4 : 6)
}

/** Neutron gives every group "may send anything", and the default group "hears itself". */
function rulesOf({ security_groups }: Written, group: string): readonly WrittenRule[] {
  const { rules = [], default_rules = true } = security_groups[group] ?? {}
  if (!default_rules) return rules
  const both = (rule: WrittenRule): WrittenRule[] => [rule, { ...rule, ethertype: 'IPv6' }]
  return [...rules, ...both({ direction: 'egress' }), ...(group === 'default' ? both({ direction: 'ingress', remote_group: group }) : [])]
}

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132, icmp: 1, icmpv6: 58, 'ipv6-icmp': 58, gre: 47, esp: 50 }

function allows(written: Written, port: WrittenPort, rule: WrittenRule, direction: WrittenRule['direction'], body: IpBody): boolean {
  const six = familyOf(body.from) === 6
  if (rule.direction !== direction || ((rule.ethertype ?? 'IPv4') === 'IPv6') !== six) return false
  const other = direction === 'egress' ? body.to : body.from
  return isAbout(rule, body, six) && isOther(written, port, rule, other)
}

function isAbout({ protocol, port_range_min: min, port_range_max: max }: WrittenRule, body: IpBody, six: boolean): boolean {
  if (protocol === undefined) return true
  const named = typeof protocol === 'number' ? protocol : (PROTOCOLS[protocol] ?? Number(protocol))
  const number = six && named === 1 ? 58 : named
  if (number !== body.protocol) return false
  if (number === 1 || number === 58) {
    return (min === undefined || body.icmp?.type === min) && (max === undefined || body.icmp?.code === max)
  }
  return min === undefined || max === undefined || (body.dport !== undefined && body.dport >= min && body.dport <= max)
}

/** A member's address counts where the member is, and in other networks where no stranger has it. */
function isOther(written: Written, { network }: WrittenPort, rule: WrittenRule, other: string): boolean {
  const { remote_ip_prefix: prefix, remote_group: group, remote_address_group: addresses } = rule
  if (prefix !== undefined) return contains(prefix, other)
  if (addresses !== undefined) return written.address_groups[addresses]?.addresses.some((a) => contains(a, other)) === true
  if (group === undefined) return true
  const members = Object.values(written.ports).filter((p) => groupsOf(p)?.includes(group))
  const there = Object.values(written.ports).filter((p) => p.network === network)
  const isStranger = (p: WrittenPort, prefix: string): boolean =>
    groupsOf(p)?.includes(group) !== true && p.fixed_ips.some((a) => contains(prefix, a.ip_address))
  return members.some((member) =>
    [...member.fixed_ips, ...(member.allowed_address_pairs ?? [])].some(
      ({ ip_address: prefix }) => contains(prefix, other) && (member.network === network || !there.some((p) => isStranger(p, prefix))),
    ),
  )
}

const LISTS = new Map<string, BlockList>()

function contains(prefix: string, address: string): boolean {
  if (familyOf(prefix) !== familyOf(address)) return false
  const type = familyOf(prefix) === 6 ? 'ipv6' : 'ipv4'
  let list = LISTS.get(prefix)
  if (list === undefined) {
    list = new BlockList()
    const [net = '', length] = prefix.split('/')
    list.addSubnet(net, length === undefined ? (type === 'ipv6' ? 128 : 32) : Number(length), type)
    LISTS.set(prefix, list)
  }
  return list.check(address, type)
}
