import fc from 'fast-check'
import type { Frame } from '../../../../agentd/backends/fake/frame.ts'
import type { GroupRule } from '../../../../src/model/intent.ts'
import { advertise, arpReply, arpRequest, broadcastUdp, ether, icmp6, ping, solicit, tcp, udp } from './frames.ts'
import { QOS } from './qos-stories.ts'
import { BRIDGES, UNDERLAY } from './real-world.ts'
import {
  addressesKey,
  groupKey,
  linkLocalOf,
  macOf,
  type NetworkInput,
  type PortInput,
  type RouterInput,
  type WorldInput,
} from './world.ts'

const HOSTS = ['h1', 'h2', 'h3']
const NETWORKS = ['blue', 'red', 'green']
const GROUPS = ['ga', 'gb', 'gc'] as const
/** Stateful and stateless groups do not go together on one port. */
const STATELESS = 2
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

/** Small worlds in which everything meets everything: same addresses in two networks, missing bridges, ports down, unplugged, unbound. */
export const worlds: fc.Arbitrary<WorldInput> = fc
  .record({
    v6: fc.boolean(),
    hosts: fc.tuple(
      ...HOSTS.map(() => fc.record({ tunnel: often(), bridge: fc.constantFrom(undefined, ...BRIDGES, BRIDGES[0], 'br-missing') })),
    ),
    networks: fc.tuple(...NETWORKS.map((_, i) => networkInput(i))),
    ports: fc.array(portInput(), { size: 'max', minLength: 3, maxLength: NAMES.length }),
    groups: fc.tuple(...GROUPS.map(() => groupInput())),
    offices: fc.subarray(['10.0.0.8/29', '10.0.0.12/32', '2001:db8:5::/126', '0.0.0.0/0']),
    routers: fc.option(routersInput(), { nil: undefined, freq: 2 }),
  })
  .map(({ v6, hosts, networks, ports, groups, offices, routers }) => ({
    ...(routers === undefined ? {} : { routers }),
    groups: Object.fromEntries(groups.map((g, i) => [GROUPS[i], { ...g, stateful: i !== STATELESS }])),
    addresses: { offices },
    hosts: Object.fromEntries(
      hosts.map(({ tunnel, bridge }, i) => [
        HOSTS[i],
        {
          ...(tunnel ? { tunnel_ip: UNDERLAY[i]?.[v6 ? 'v6' : 'v4'] ?? '' } : {}),
          ...(bridge === undefined ? {} : { bridge_mappings: { physnet1: bridge } }),
        },
      ]),
    ),
    networks: Object.fromEntries(networks.map((n, i) => [NETWORKS[i], n])),
    ports: Object.fromEntries(
      ports.map((p, i) => [
        NAMES[i],
        placed(p, i, networks[NETWORKS.indexOf(p.network)], routers === undefined ? 0 : NETWORKS.indexOf(p.network)),
      ]),
    ),
  }))

/** True nine times out of ten; small numbers are what fast-check likes best. */
function often(): fc.Arbitrary<boolean> {
  return fc.nat(9).map((n) => n < 9)
}

function networkInput(i: number): fc.Arbitrary<NetworkInput> {
  const up = often()
  const tunnel = fc.record({ type: fc.constantFrom('vxlan', 'geneve', 'gre'), id: fc.constant(100 + i), up })
  const vlan = fc.record({ type: fc.constant('vlan'), physical_network: fc.constant('physnet1'), id: fc.constant(100 + i), up })
  // One flat network at most hangs on a wire.
  const flat = i === 0 ? [fc.record({ type: fc.constant('flat'), physical_network: fc.constant('physnet1'), up })] : []
  const several = fc.record({
    type: fc.constant('local'),
    segments: fc.record({
      rack: fc.record({ type: fc.constant('vlan'), physical_network: fc.constant('physnet1'), id: fc.constant(200 + i) }),
      overlay: fc.record({ type: fc.constantFrom('vxlan', 'geneve', 'gre'), id: fc.constant(200 + i) }),
    }),
    up,
  })
  return fc.oneof(tunnel, vlan, several, ...flat, fc.record({ type: fc.constant('local'), up })) as fc.Arbitrary<NetworkInput>
}

function groupInput(): fc.Arbitrary<{ readonly rules: readonly GroupRule[] }> {
  const remote = fc.constantFrom<GroupRule['remote']>(
    undefined,
    ...GROUPS.map((g) => ({ group: groupKey(g) })),
    { addresses: addressesKey('offices') },
    { prefix: '10.0.0.0/28' },
    { prefix: '2001:db8:5::/64' },
  )
  const about = fc.constantFrom<Partial<GroupRule>>(
    {},
    {},
    { protocol: 17 },
    { protocol: 6, ports: { first: 80, last: 443 } },
    { protocol: 17, ports: { first: 4000, last: 5000 } },
    { protocol: 58, icmp: { type: 128 } },
  )
  const rule = fc
    .record({ direction: fc.constantFrom('ingress', 'egress'), ethertype: fc.constantFrom('IPv4', 'IPv6'), remote, about })
    .map(({ direction, ethertype, remote: of, about: what }): GroupRule => {
      const fits = of === undefined || !('prefix' in of) || of.prefix.includes(':') === (ethertype === 'IPv6')
      const icmp = what.icmp !== undefined && ethertype === 'IPv4' ? { protocol: 1, icmp: { type: 8 } } : what
      return { direction, ethertype, ...icmp, ...(of === undefined || !fits ? {} : { remote: of }) }
    })
  return fc.record({ rules: fc.array(rule, { maxLength: 6 }) })
}

/** Absent: under no rules. */
function groupsOfPort(): fc.Arbitrary<readonly string[] | undefined> {
  return fc.constantFrom(undefined, undefined, [], ['ga'], ['gb'], ['ga', 'gb'], ['gc'])
}

/** Two routers: r is .1 and s .2 on every network where they are. Each sends what it does not know to the other, or to a port. */
function routersInput(): fc.Arbitrary<NonNullable<WorldInput['routers']>> {
  const one = (letter: string, host: number, other: number): fc.Arbitrary<RouterInput> =>
    fc
      .record({
        up: often(),
        on: fc.subarray([...NETWORKS.keys()]),
        to: fc.constantFrom('0.0.0.0/0', '10.9.0.0/16', '10.1.0.0/28', '::/0'),
        via: fc.constantFrom(other, 10, 11, 12),
      })
      .map(({ up, on, to, via }) => {
        const [first] = on
        const six = to.includes(':')
        const address = (n: number, at: number): string => (six ? `2001:db8:${5 + n}::${at}` : `10.${n}.0.${at}`)
        return {
          up,
          legs: Object.fromEntries(
            on.map((n) => [NETWORKS[n], { tag: `${letter}${n}`, addresses: [`10.${n}.0.${host}/24`, `2001:db8:${5 + n}::${host}/64`] }]),
          ),
          routes: first === undefined ? [] : [{ to, via: address(first, via), network: NETWORKS[first] ?? '' }],
        }
      })
  return fc.record({ r: one('a', 1, 2), s: one('b', 2, 1) })
}

interface Raw {
  readonly qos: PortInput['qos']
  readonly groups: readonly string[] | undefined
  readonly network: string
  /** Taken where the network has several. */
  readonly segment: string
  readonly host: string | undefined
  readonly security: boolean
  readonly up: boolean
  readonly unplugged: boolean
  readonly v4: boolean
  readonly v6: boolean
  readonly shared: boolean
}

function portInput(): fc.Arbitrary<Raw> {
  return fc.record({
    network: fc.constantFrom('blue', 'blue', 'blue', 'red', 'green'),
    segment: fc.constantFrom('rack', 'overlay'),
    host: fc.constantFrom('h1', 'h1', 'h2', 'h2', 'h3', 'h3', undefined),
    security: fc.nat(2).map((n) => n < 2),
    groups: groupsOfPort(),
    qos: fc.constantFrom(undefined, ...QOS),
    up: often(),
    unplugged: often().map((x) => !x),
    v4: often(),
    v6: often(),
    shared: fc.nat(3).map((n) => n === 3),
  })
}

/** `subnet`: addresses of networks that routers join must differ. */
function placed(raw: Raw, i: number, network: NetworkInput | undefined, subnet: number): PortInput {
  const { host, v4, v6, shared, segment, groups, qos, ...rest } = raw
  const ips = [...(v4 ? [`10.${subnet}.0.${10 + i}`] : []), ...(v6 ? [`2001:db8:${5 + subnet}::${10 + i}`] : [])]
  const allowed = shared
    ? [
        { mac: macOf('ee'), prefix: '10.0.0.1/32' },
        { mac: macOf(tagOf(i)), prefix: '10.9.0.0/16' },
      ]
    : []
  return {
    ...rest,
    tag: tagOf(i),
    ips,
    ...(host === undefined ? {} : { host }),
    ...(qos === undefined ? {} : { qos }),
    ...(groups === undefined || !rest.security ? {} : { groups }),
    ...(network?.segments === undefined || host === undefined ? {} : { segment }),
    allowed,
  }
}

function tagOf(i: number): string {
  return `${i + 1}0`
}

/** A frame as some guest might send it; most are honest in part. */
export function frames(world: WorldInput): fc.Arbitrary<Frame> {
  const legs = Object.values(world.routers ?? {}).flatMap((r) => Object.values(r.legs))
  const routers = legs.length === 0 ? ['77'] : legs.map((l) => l.tag)
  const tags = [...Object.values(world.ports).map((p) => p.tag), 'ee', '77', ...routers]
  const tag = fc.constantFrom(...tags)
  const known = [
    ...Object.values(world.ports).flatMap((p) => p.ips ?? []),
    ...legs.flatMap((l) => l.addresses.map((a) => a.slice(0, a.indexOf('/')))),
  ]
  const v4 = fc.constantFrom(...known.filter((ip) => !ip.includes(':')), '10.0.0.1', '10.9.1.1', '10.0.0.99', '0.0.0.0')
  const v6 = fc.constantFrom(...known.filter((ip) => ip.includes(':')), ...tags.map(linkLocalOf), '2001:db8:5::99', '::')
  const option = fc.option(tag.map(macOf), { nil: null })
  const plain = fc.oneof(
    fc.tuple(tag, v4, v4).map(([a, s, d]) => arpRequest(a, s, d)),
    fc.tuple(tag, v4, v4, tag).map(([a, s, d, to]) => arpRequest(a, s, d, macOf(to))),
    fc.tuple(tag, v4, tag, v4).map(([a, s, to, d]) => arpReply(a, s, to, d)),
    fc.tuple(tag, v4, tag, v4).map(([a, s, to, d]) => udp(a, s, to, d)),
    fc.tuple(tag, v6, tag, v6).map(([a, s, to, d]) => tcp(a, s, to, d)),
    fc.tuple(tag, v4, fc.constantFrom(67, 68, 4000), fc.constantFrom(67, 68, 5000)).map(([a, s, x, y]) => broadcastUdp(a, s, x, y)),
    fc.tuple(tag, v6, tag, v6, fc.constantFrom(546, 547), fc.constantFrom(546, 547)).map(([a, s, to, d, x, y]) => udp(a, s, to, d, x, y)),
    fc.tuple(tag, v6, v6, option).map(([a, s, d, sll]) => solicit(a, s, d, sll)),
    fc.tuple(tag, v6, v6, option).map(([a, s, d, tll]) => advertise(a, s, d, tll)),
    fc.tuple(tag, v6, fc.constantFrom(128, 130, 131, 133, 134, 143)).map(([a, s, kind]) => icmp6(a, s, kind)),
    fc.tuple(tag, tag, fc.constantFrom(0x88cc, 0x9000)).map(([a, to, type]) => ether(a, macOf(to), type)),
    // Through a router, or to one.
    ...(legs.length === 0 ? [] : [v4, v6]).flatMap((ip) => [
      fc.tuple(tag, ip, fc.constantFrom(...routers), ip).map(([a, s, to, d]) => tcp(a, s, to, d)),
      fc.tuple(tag, ip, fc.constantFrom(...routers), ip).map(([a, s, to, d]) => ping(a, s, to, d)),
    ]),
    tag.map((a): Frame => ({ src: macOf(a), dst: 'ff:ff:ff:ff:ff:ff', body: { type: 'rarp', sha: macOf(a) } })),
  )
  return fc
    .tuple(plain, fc.constantFrom(...Array.from({ length: 20 }, () => undefined), 0, 101))
    .map(([frame, vlan]) => (vlan === undefined ? frame : { ...frame, vlan }))
    .chain((frame) =>
      fc.constantFrom(frame, frame, frame, { ...frame, connection: 'answer' as const }, { ...frame, connection: 'known' as const }),
    )
}

/** Mostly honest frames (three of four) between ports of one network (three of four). */
export function questions(world: WorldInput): fc.Arbitrary<{ readonly from: string; readonly frame: Frame }> {
  const senders = Object.entries(world.ports).filter(([, p]) => p.host !== undefined && p.unplugged !== true)
  return fc.constantFrom(...senders).chain(([from, port]) => {
    const near = Object.fromEntries(Object.entries(world.ports).filter(([, p]) => p.network === port.network))
    const whom = fc.oneof({ weight: 3, arbitrary: frames({ ...world, ports: near }) }, { weight: 1, arbitrary: frames(world) })
    const asked = fc.tuple(whom, fc.nat(3)).map(([frame, lie]) => (lie === 3 ? frame : honest(frame, port)))
    // A frame to its own sender: whether OVS looks up what it learns from that very frame depends on what it had learned before.
    return asked.filter((frame) => frame.src !== frame.dst).map((frame) => ({ from, frame }))
  })
}

function honest(frame: Frame, port: PortInput): Frame {
  const mac = macOf(port.tag)
  const { body } = frame
  const own = (address: string): string =>
    (port.ips ?? []).find((ip) => ip.includes(':') === address.includes(':')) ?? (address.includes(':') ? linkLocalOf(port.tag) : address)
  const keep = (address: string): boolean => address === '::' || address === '0.0.0.0'
  if (body.type === 'arp') return { ...frame, src: mac, body: { ...body, sha: mac, spa: keep(body.spa) ? body.spa : own(body.spa) } }
  if (body.type === 'rarp') return { ...frame, src: mac, body: { ...body, sha: mac } }
  if (body.type === 'other') return { ...frame, src: mac }
  const src = keep(body.src) ? body.src : own(body.src)
  if (body.type !== 'icmp6') return { ...frame, src: mac, body: { ...body, src } }
  const options = { ...(body.sll === undefined ? {} : { sll: mac }), ...(body.tll === undefined ? {} : { tll: mac }) }
  return { ...frame, src: mac, body: { ...body, src, ...options } }
}
