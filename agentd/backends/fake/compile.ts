import { allocate, EMPTY_POOL, type Pool } from '../../../src/lib/allocate.ts'
import { formatIp, parseIp } from '../../../src/lib/ip.ts'
import { linkLocalAddress } from '../../../src/lib/mac.ts'
import {
  type AttachIntent,
  domainOf,
  type EndpointIntent,
  type HostIntent,
  hostsOf,
  type Intent,
  type LegIntent,
  type LocationIntent,
  type PortQosIntent,
  type QosIntent,
  type RouteIntent,
  type RouterIntent,
  type SegmentIntent,
  type TrunkIntent,
} from '../../../src/model/intent.ts'
import { type Key, makeKey } from '../../../src/model/key.ts'
import type { AllocationTable, Compiled, CompileInput, Compiler, Facts, Item, Verdict } from '../backend.ts'
import { type Attachment, type Carrier, fakeItem, type Group, type Place, type Remote, type Router } from './tables.ts'
import { listenersOf, tapVerdicts } from './taps.ts'

/** The model's compiler: intents almost as they are, one entry each. */
export const fakeCompiler: Compiler = { name: 'fake', compile }

const LOCAL_ELSEWHERE: Verdict = { state: 'ERROR', cause: 'a local network whose ports are on other hosts' }

/** The intents a host was given, by type. */
interface Given {
  readonly host: string
  readonly facts: Facts
  readonly offer: HostIntent | undefined
  readonly endpoints: readonly EndpointIntent[]
  readonly attaches: readonly AttachIntent[]
  readonly segments: readonly SegmentIntent[]
  readonly locations: readonly LocationIntent[]
  readonly trunks: readonly TrunkIntent[]
  readonly routers: readonly Router[]
  /** By port. */
  readonly qos: ReadonlyMap<Key, QosIntent>
}

function compile(input: CompileInput): Compiled {
  if (input.intents.size === 0) return { items: new Map(), allocations: input.allocations, verdicts: new Map(), subjects: [] }
  const given = sort(input)
  const pool = allocate(
    readPool(input.allocations),
    given.attaches.map((a) => a.port),
    { first: 1, size: 0xffff },
  )
  const items: Item[] = []
  const verdicts = new Map<Key, Verdict>()
  for (const segment of given.segments) {
    const members = given.attaches.filter((a) => domainOf(a) === domainOf(segment))
    if (members.length === 0 && !given.routers.some((r) => r.legs.some((l) => l.network === segment.network))) continue
    const { carrier, fault } = carrierOf(segment, given)
    for (const attach of members) {
      const verdict = verdictOf(attach, segment, given) ?? fault
      if (verdict !== undefined) verdicts.set(attach.port, verdict)
    }
    const isLost = members.length === 0 && segment.admin_state_up && given.locations.some((l) => domainOf(l) === domainOf(segment))
    const lost = segment.network_type === 'local' ? LOCAL_ELSEWHERE : fault
    if (isLost && lost !== undefined)
      for (const { router, legs } of given.routers) if (legs.some((l) => l.network === segment.network)) verdicts.set(router, lost)
    if (segment.admin_state_up) items.push(...entries(segment, carrier, members, given, pool))
  }
  items.push(...groupItems(input, given), ...given.routers.map((router) => fakeItem(router.router, router)))
  for (const { router, up } of given.routers) if (!up) verdicts.set(router, { state: 'DOWN', cause: 'admin_state_up is false' })
  for (const trunk of given.trunks) {
    const verdict = faultOfTrunk(trunk, given)
    if (verdict !== undefined) verdicts.set(trunk.trunk, verdict)
  }
  const all = [...input.intents.values()].flatMap((scope) => [...scope.values()])
  for (const listener of listenersOf(given.host, all, given)) items.push(fakeItem(makeKey('host', '', given.host), listener))
  const taps = tapVerdicts(given.host, all, verdicts)
  const host = makeKey('host', '', given.host)
  const missing = missingBridge(given)
  if (missing !== undefined) verdicts.set(host, missing)
  return {
    items: new Map(items.map((item) => [item.key, item])),
    allocations: writePool(input.allocations, pool),
    verdicts,
    subjects: [
      host,
      ...given.attaches.map((a) => a.port),
      ...given.trunks.map((t) => t.trunk),
      ...given.routers.map((r) => r.router),
      ...taps,
    ],
  }
}

function sort({ host, facts, intents }: CompileInput): Given {
  const all = [...intents.values()].flatMap((scope) => [...scope.values()])
  const of = <T extends Intent['type']>(type: T): Extract<Intent, { type: T }>[] =>
    all.filter((i): i is Extract<Intent, { type: T }> => i.type === type)
  const isUp = ({ network }: LegIntent): boolean => of('segment').some((s) => s.network === network && s.admin_state_up)
  return {
    host,
    facts,
    offer: of('host').find((i) => i.host === host),
    endpoints: of('endpoint'),
    attaches: of('attach'),
    segments: of('segment'),
    locations: of('location'),
    trunks: of('trunk'),
    routers: of('router').map((r) => routerOf(r, of('leg').filter(isUp), of('route'))),
    qos: qosByPort(of('qos'), of('port_qos')),
  }
}

function routerOf({ router, admin_state_up: up }: RouterIntent, legs: readonly LegIntent[], routes: readonly RouteIntent[]): Router {
  return {
    table: 'router',
    router,
    up,
    legs: legs
      .filter((l) => l.router === router)
      .map(({ network, mac, addresses }) => ({ network, mac, addresses, linkLocal: formatIp(6, linkLocalAddress(mac)) })),
    routes: routes
      .filter((r) => r.router === router)
      .flatMap(({ destination, nexthops }) => nexthops.map(({ address, network }) => ({ destination, via: address, network }))),
  }
}

function qosByPort(policies: readonly QosIntent[], ports: readonly PortQosIntent[]): ReadonlyMap<Key, QosIntent> {
  const known = new Map(policies.map((p) => [p.policy, p]))
  return new Map(
    ports.flatMap(({ port, policy }): [Key, QosIntent][] => {
      const qos = known.get(policy)
      return qos === undefined ? [] : [[port, qos]]
    }),
  )
}

function entries(segment: SegmentIntent, carrier: Carrier, members: readonly AttachIntent[], given: Given, pool: Pool): Item[] {
  const network = domainOf(segment)
  const out = [fakeItem(segment.network, { table: 'segment', network, whole: segment.network, carrier })]
  for (const member of members) {
    const { port, mac, port_security_enabled, allowed, security_groups: groups } = member
    if (!member.admin_state_up || faultOfWay(member, given) !== undefined) continue
    const slot = pool.held[port] ?? 0
    const common = { table: 'attachment', port, network, slot, mac, port_security_enabled, allowed } as const
    out.push(fakeItem(port, { ...common, ...(groups === undefined ? {} : { groups }), ...qosOf(given.qos.get(port)) }))
  }
  for (const l of given.locations) {
    if (domainOf(l) !== network) continue
    const isHere = members.some((a) => a.port === l.port)
    const at = hostsOf(l).flatMap((host): Place[] => (host !== given.host ? [{ host }] : isHere ? [{ here: true }] : []))
    if (at.length === 0) continue
    const { port, mac, ips, admin_state_up: up, port_security_enabled, other_macs = [] } = l
    out.push(fakeItem(port, { table: 'location', port, network, mac, ips, at, up, port_security_enabled, other_macs }))
  }
  return out
}

function qosOf(intent: QosIntent | undefined): Pick<Attachment, 'qos'> {
  if (intent === undefined) return {}
  const { type: _, policy: __, ...qos } = intent
  return { qos }
}

/** Groups of ports that are here, and everybody their rules speak of. */
function groupItems({ intents }: CompileInput, { attaches }: Given): Item[] {
  const used = new Set(attaches.flatMap((a) => a.security_groups ?? []))
  const groups = new Map<Key, Group>()
  const remotes = new Map<Key, Remote>()
  const all = [...intents.values()].flatMap((scope) => [...scope.values()])
  for (const i of all)
    if (i.type === 'group' && used.has(i.group)) groups.set(i.group, { table: 'group', group: i.group, stateful: i.stateful, rules: [] })
  for (const i of all) {
    const group = i.type === 'group_rule' ? groups.get(i.group) : undefined
    if (i.type === 'group_rule' && group !== undefined) groups.set(i.group, { ...group, rules: [...group.rules, i.rule] })
    if (i.type !== 'member' && i.type !== 'addresses') continue
    const remote = i.type === 'member' ? i.group : i.addresses
    const prefixes = [...new Set([...(remotes.get(remote)?.prefixes ?? []), ...i.prefixes])].sort()
    const before = remotes.get(remote)?.members ?? {}
    const members = i.type === 'member' ? { ...before, [i.port]: i.prefixes } : null
    remotes.set(remote, { table: 'remote', remote, prefixes, members })
  }
  return [...[...groups].map(([key, group]) => fakeItem(key, group)), ...[...remotes].map(([key, remote]) => fakeItem(key, remote))]
}

function carrierOf(segment: SegmentIntent, given: Given): { readonly carrier: Carrier; readonly fault?: Verdict } {
  const { network_type: type, segmentation_id: id, physical_network = '' } = segment
  const nothing = (cause: string): { carrier: Carrier; fault: Verdict } => ({
    carrier: { by: 'nothing' },
    fault: { state: 'ERROR', cause },
  })
  if (type === 'local') return { carrier: { by: 'nothing' } }
  if (type === 'flat' || type === 'vlan') {
    const bridge = given.offer?.bridge_mappings[physical_network]
    if (bridge === undefined) return nothing(`no bridge is mapped to ${physical_network}`)
    if (!given.facts.bridges.includes(bridge)) return nothing(`bridge ${bridge} does not exist`)
    return { carrier: { by: 'provider', bridge, ...(type === 'vlan' && id !== undefined ? { vlan: id } : {}) } }
  }
  const own = given.offer?.tunnel_ip
  if (own === undefined) return nothing(`host ${given.host} has no tunnel_ip`)
  const peers: Record<string, string> = {}
  const senders: Record<string, string> = {}
  const joined = joinedWith(segment.network, given.routers)
  let fault: Verdict | undefined
  for (const l of given.locations) {
    if (!joined.has(l.network)) continue
    const isOwn = domainOf(l) === domainOf(segment)
    for (const at of hostsOf(l)) {
      const ip = at === given.host ? undefined : given.endpoints.find((e) => e.host === at)?.tunnel_ip
      if (ip === undefined) continue
      if (parseIp(ip)?.family !== parseIp(own)?.family)
        fault = !isOwn ? fault : { state: 'ERROR', cause: `${own} and ${ip} are of different IP versions` }
      else if (l.admin_state_up) {
        senders[at] = ip
        if (isOwn) peers[at] = ip
      }
    }
  }
  return { carrier: { by: 'tunnel', type, key: id ?? 0, peers, senders }, ...(fault === undefined ? {} : { fault }) }
}

/** Networks from which packets come into one through routers, itself among them. */
function joinedWith(network: Key, routers: readonly Router[]): ReadonlySet<Key> {
  const joined = new Set([network])
  for (let size = 0; size < joined.size; ) {
    size = joined.size
    for (const { up, legs } of routers) if (up && legs.some((l) => joined.has(l.network))) for (const leg of legs) joined.add(leg.network)
  }
  return joined
}

function verdictOf(attach: AttachIntent, segment: SegmentIntent, given: Given): Verdict | undefined {
  if (!attach.admin_state_up || !segment.admin_state_up) return { state: 'DOWN', cause: 'admin_state_up is false' }
  return faultOfWay(attach, given)
}

/** Why no frame gets to a port: its own interface, or that of its trunk's parent. */
function faultOfWay(attach: AttachIntent, given: Given): Verdict | undefined {
  const trunk = given.trunks.find((t) => t.subports.some((s) => s.port === attach.port))
  return trunk === undefined ? faultOfPlug(attach, given.facts) : faultOfTrunk(trunk, given)
}

function faultOfTrunk({ parent: key, admin_state_up: up }: TrunkIntent, { attaches, facts }: Given): Verdict | undefined {
  const parent = attaches.find((a) => a.port === key)
  if (!up || parent?.admin_state_up === false) return { state: 'DOWN', cause: 'admin_state_up is false' }
  return parent === undefined ? { state: 'ERROR', cause: `${key} is not here` } : faultOfPlug(parent, facts)
}

function faultOfPlug({ plug, id, mac }: Pick<AttachIntent, 'plug' | 'id' | 'mac'>, facts: Facts): Verdict | undefined {
  if (plug.by === 'agent') return undefined
  const plugged = Object.values(facts.interfaces).filter((i) => i.iface_id === id)
  const [first] = plugged
  if (first === undefined || (first.error === undefined && first.ofport === undefined))
    return { state: 'WAITING', cause: `no interface with iface-id ${id}` }
  if (plugged.length > 1) return { state: 'ERROR', cause: `${plugged.length} interfaces with iface-id ${id}` }
  if (first.error !== undefined) return { state: 'ERROR', cause: first.error }
  return first.attached_mac === undefined || first.attached_mac === mac
    ? undefined
    : { state: 'ERROR', cause: `attached-mac is ${first.attached_mac}, not ${mac}` }
}

function missingBridge({ offer, facts }: Given): Verdict | undefined {
  const missing = Object.values(offer?.bridge_mappings ?? {}).find((bridge) => !facts.bridges.includes(bridge))
  return missing === undefined ? undefined : { state: 'ERROR', cause: `bridge ${missing} does not exist` }
}

function readPool(table: AllocationTable): Pool {
  const held = table['slot']
  return held === undefined ? EMPTY_POOL : { held, freed: table['slot/freed'] ?? {}, order: table['slot/order'] ?? {} }
}

/** The same table when nothing changed. */
function writePool(table: AllocationTable, pool: Pool): AllocationTable {
  if (pool === EMPTY_POOL || pool.held === table['slot']) return table
  return { ...table, slot: pool.held, 'slot/freed': pool.freed, 'slot/order': pool.order }
}
