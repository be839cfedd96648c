import { allocate, EMPTY_POOL, type Pool } from '../../../src/lib/allocate.ts'
import { parseIp } from '../../../src/lib/ip.ts'
import {
  type AttachIntent,
  domainOf,
  type EndpointIntent,
  type HostIntent,
  type Intent,
  type LocationIntent,
  type SegmentIntent,
} from '../../../src/model/intent.ts'
import { type Key, makeKey } from '../../../src/model/key.ts'
import type { AllocationTable, Compiled, CompileInput, Compiler, Facts, Item, Verdict } from '../backend.ts'
import { type Carrier, fakeItem, type Group, type Remote } from './tables.ts'

/** The model's compiler: intents almost as they are, one entry each. */
export const fakeCompiler: Compiler = { name: 'fake', compile }

/** The intents a host was given, by type. */
interface Given {
  readonly host: string
  readonly facts: Facts
  readonly offer: HostIntent | undefined
  readonly endpoints: readonly EndpointIntent[]
  readonly attaches: readonly AttachIntent[]
  readonly segments: readonly SegmentIntent[]
  readonly locations: readonly LocationIntent[]
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
    if (members.length === 0) continue
    const { carrier, fault } = carrierOf(segment, given)
    for (const attach of members) {
      const verdict = verdictOf(attach, segment, given.facts) ?? fault
      if (verdict !== undefined) verdicts.set(attach.port, verdict)
    }
    if (segment.admin_state_up) items.push(...entries(segment, carrier, members, given, pool))
  }
  items.push(...groupItems(input, given))
  const host = makeKey('host', '', given.host)
  const missing = missingBridge(given)
  if (missing !== undefined) verdicts.set(host, missing)
  return {
    items: new Map(items.map((item) => [item.key, item])),
    allocations: writePool(input.allocations, pool),
    verdicts,
    subjects: [host, ...given.attaches.map((a) => a.port)],
  }
}

function sort({ host, facts, intents }: CompileInput): Given {
  const all = [...intents.values()].flatMap((scope) => [...scope.values()])
  const of = <T extends Intent['type']>(type: T): Extract<Intent, { type: T }>[] =>
    all.filter((i): i is Extract<Intent, { type: T }> => i.type === type)
  return {
    host,
    facts,
    offer: of('host').find((i) => i.host === host),
    endpoints: of('endpoint'),
    attaches: of('attach'),
    segments: of('segment'),
    locations: of('location'),
  }
}

function entries(segment: SegmentIntent, carrier: Carrier, members: readonly AttachIntent[], given: Given, pool: Pool): Item[] {
  const network = domainOf(segment)
  const out = [fakeItem(segment.network, { table: 'segment', network, carrier })]
  for (const { port, mac, port_security_enabled, allowed, admin_state_up: up, plug, id, security_groups: groups } of members) {
    if (!up || faultOfPlug({ plug, id, mac }, given.facts) !== undefined) continue
    const slot = pool.held[port] ?? 0
    const common = { table: 'attachment', port, network, slot, mac, port_security_enabled, allowed } as const
    out.push(fakeItem(port, { ...common, ...(groups === undefined ? {} : { groups }) }))
  }
  for (const l of given.locations) {
    if (domainOf(l) !== network || l.host === undefined) continue
    if (l.host === given.host && !members.some((a) => a.port === l.port)) continue
    const at = l.host === given.host ? ({ here: true } as const) : { host: l.host }
    const { port, mac, ips, admin_state_up: up, port_security_enabled, other_macs = [] } = l
    out.push(fakeItem(port, { table: 'location', port, network, mac, ips, at, up, port_security_enabled, other_macs }))
  }
  return out
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
    remotes.set(remote, { table: 'remote', remote, prefixes })
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
  let fault: Verdict | undefined
  for (const l of given.locations) {
    if (domainOf(l) !== domainOf(segment) || l.host === undefined || l.host === given.host) continue
    const ip = given.endpoints.find((e) => e.host === l.host)?.tunnel_ip
    if (ip === undefined) continue
    if (parseIp(ip)?.family !== parseIp(own)?.family) fault = { state: 'ERROR', cause: `${own} and ${ip} are of different IP versions` }
    else if (l.admin_state_up) peers[l.host] = ip
  }
  return { carrier: { by: 'tunnel', type, key: id ?? 0, peers }, ...(fault === undefined ? {} : { fault }) }
}

function verdictOf(attach: AttachIntent, segment: SegmentIntent, facts: Facts): Verdict | undefined {
  if (!attach.admin_state_up || !segment.admin_state_up) return { state: 'DOWN', cause: 'admin_state_up is false' }
  return faultOfPlug(attach, facts)
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
