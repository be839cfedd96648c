import { type AttachIntent, hostsOf } from '../../../../src/model/intent.ts'
import { compareText, type Key, makeKey } from '../../../../src/model/key.ts'
import type { Compiled, CompileInput, Compiler, Item } from '../../backend.ts'
import { announcedPort } from './announced.ts'
import { compileLegs, compileRouters } from './compile-routers.ts'
import { connectionsOf } from './connections.ts'
import { mirrorItems, type Receiver, tapItems } from './copies.ts'
import { carrierItems, type DeviceContext, plugItems } from './devices.ts'
import { type FloodSet, floodItems } from './flood.ts'
import { compileNothing } from './leave.ts'
import { type Limits, limitsOf, qosOf } from './limits.ts'
import { type LocalContext, localItems } from './local.ts'
import { locationItems } from './location.ts'
import { loggedItems, loggingOf } from './logged.ts'
import { remoteItems } from './members.ts'
import { Memo } from './memo.ts'
import { isReserved } from './names.ts'
import { type NetworkContext, networkContext, targetsOf } from './network.ts'
import { allocateNumbers, type Numbers } from './numbers.ts'
import { outsideOf } from './outside.ts'
import { conjunctionNames, isTracked, policyName } from './policy.ts'
import { target } from './registers.ts'
import { joinedNetworks } from './routers.ts'
import { neighbourItems } from './routing.ts'
import { policyItems } from './rules.ts'
import { learnItems, peerItems, providerItems, routedOutItems, toPeerItems, tunnelKeyItems } from './segment.ts'
import { sharedItems } from './shared.ts'
import { isSnooped, type SnoopedNetwork, snoopItems, snoopMeter, snoopSharedItems } from './snoop.ts'
import { copiesByPort } from './taps.ts'
import { trunkItems } from './trunk.ts'
import { tapSubjects, verdictsOf } from './verdict.ts'
import { type HostView, type NetworkView, viewOf } from './view.ts'
import { wire } from './wiring.ts'
import { emit, type Work } from './work.ts'

/** Turns a host's intents into rows and flows of Open vSwitch. Pure to its callers; remembers what unchanged intents were compiled to. */
export function createOvsCompiler(): Compiler {
  const memo = new Memo()
  return { name: 'ovs', compile: (input) => (input.intents.size === 0 ? compileNothing(input) : compile(input, memo)) }
}

export const ovsCompiler: Compiler = createOvsCompiler()

function compile(input: CompileInput, memo: Memo): Compiled {
  const view = viewOf(input.host, input.intents, input.facts)
  const { numbers, table } = allocateNumbers(view, input.allocations)
  const wiring = wire(view, input.facts, numbers)
  const work: Work = {
    input,
    view,
    numbers,
    wiring,
    copies: copiesByPort(view.taps, numbers),
    memo,
    out: [],
    announced: [],
    joined: new Set(joinedNetworks(view.routers)),
  }
  emit(
    work,
    memo.items(memo, input.host, '', () => sharedItems(input.host)),
  )
  compileDevices(work)
  const peers = new Map<number, () => void>()
  for (const network of view.networks) {
    if (!network.segment.admin_state_up) continue
    const context = networkContext(network, input.facts, numbers)
    compileNetwork(work, context)
    for (const peer of context.peers.values()) {
      const host = makeKey('host', '', peer.host)
      peers.set(target(peer.type, peer.number), () => emit(work, toPeerItems(host, peer)))
    }
  }
  for (const emitPeer of peers.values()) emitPeer()
  for (const trunk of view.trunks) {
    const ofport = wiring.get(trunk.parent)?.ofport
    emit(
      work,
      memo.items(trunk, 'trunk', String(ofport), () => trunkItems(trunk, ofport)),
    )
  }
  compileRouters(work)
  compileTaps(work)
  for (const policy of view.policies.values()) emit(work, policyItems(policy, numbers))
  emit(work, loggedItems(view, numbers))
  memo.members.begin(policyRules(view, numbers))
  const around = view.networks
    .filter((n) => n.attaches.length > 0)
    .map(({ id, locations }) => ({ network: numbers.of('network', id), locations }))
  emit(work, remoteItems([...view.policies.values()], view.remotes, around, numbers, memo.members))
  const snooped = view.networks.filter((n) => n.attaches.length > 0 && isSnooped(n))
  if (snooped.length > 0) emit(work, snoopSharedItems(input.host))
  const host = makeKey('host', '', input.host)
  const subjects = [
    host,
    ...view.attaches.map((a) => a.port),
    ...view.trunks.map((t) => t.trunk),
    ...view.routers.map((r) => r.router),
    ...tapSubjects(view),
  ]
  const verdicts = verdictsOf(view, wiring, input.facts)
  const connections = connectionsOf(view, numbers, table)
  return {
    items: collect(work.out),
    allocations: table,
    verdicts,
    subjects,
    outside: outsideOf(view, input.facts),
    connections,
    logging: loggingOf(view, numbers),
    announced: work.announced,
    ...(view.routers.some((r) => r.up) ? { responder: true as const } : {}),
    ...(snooped.length === 0 ? {} : { snooping: { host, networks: snooped.map((network) => snoopedNetwork(network, work)) } }),
  }
}

function snoopedNetwork({ id, segment, attaches }: NetworkView, { numbers, wiring }: Work): SnoopedNetwork {
  const ports = attaches.flatMap(({ port, admin_state_up: up }): [number, number][] => {
    const ofport = up ? wiring.get(port)?.ofport : undefined
    return ofport === undefined ? [] : [[target('port', numbers.of('port', port)), ofport]]
  })
  const { querier = true, query_interval = 0 } = segment.igmp_snooping ?? {}
  return { domain: id, owner: segment.network, number: numbers.of('network', id), ports: new Map(ports), querier, query_interval }
}

function compileDevices({ input, view, numbers, memo, out }: Work): void {
  const context: DeviceContext = { host: input.host, installation: input.installation, facts: input.facts, numbers }
  emit({ out }, carrierItems(view, context))
  for (const attach of view.attaches) {
    if (attach.plug.by === 'external' || isReserved(attach.plug.interface)) continue
    const at = `${input.installation} ${numbers.of('ofport', attach.plug.interface)}`
    emit(
      { out },
      memo.items(attach, 'plug', at, () => plugItems(attach, context)),
    )
  }
}

function compileNetwork(work: Work, context: NetworkContext): void {
  compileSegment(work, context)
  const { memo, numbers, wiring, input } = work
  const { number: network, learning } = context
  const coming = new Set(context.view.locations.filter((l) => l.migrating_to === input.host).map((l) => l.port))
  for (const attach of context.view.attaches) {
    if (!attach.admin_state_up) continue
    const self = target('port', numbers.of('port', attach.port))
    const { ofport, vlan } = wiring.get(attach.port) ?? {}
    const filter = filterOf(work, attach)
    const limits = limitsFor(work, attach)
    const copies = work.copies.get(attach.port)
    const local = {
      network,
      self,
      ...(ofport === undefined ? {} : { ofport, ...(vlan === undefined ? {} : { vlan }) }),
      ...(filter === undefined ? {} : { filter }),
      ...(limits === undefined ? {} : { limits }),
      ...(copies === undefined ? {} : { copies }),
      ...(work.joined.has(attach.network) ? { routed: true as const } : {}),
    }
    const at = `${network} ${self} ${ofport} ${vlan} ${filter?.rules} ${filter?.zone}${limits === undefined ? '' : JSON.stringify(limits)}${copies === undefined ? '' : ` copies ${JSON.stringify(copies)}`} ${local.routed}`
    const items = memo.items(attach, 'local', at, () => localItems(attach, local))
    emit(work, items)
    const announced = announcedPort(attach, context, { coming, flow: ofport === undefined ? undefined : items[0]?.key })
    if (announced !== undefined) work.announced.push(announced)
  }
  if (context.view.attaches.length > 0) compileLegs(work, context)
  const { network: key } = context.view.segment
  const joined = work.joined.has(key) ? numbers.of('network', key) : undefined
  for (const location of context.view.locations) {
    const local = wiring.has(location.port) ? numbers.of('port', location.port) : undefined
    const targets = targetsOf(location, context, input.host, local)
    if (targets.length === 0) continue
    if (joined !== undefined)
      emit(
        work,
        memo.items(location, 'neighbour', `${joined} ${network} ${targets}`, () => neighbourItems(location, { joined, network, targets })),
      )
    if (context.view.attaches.length === 0) continue
    emit(
      work,
      memo.items(location, 'location', `${network} ${targets} ${learning}`, () => locationItems(location, { network, targets, learning })),
    )
  }
  if (context.view.attaches.length === 0) return
  for (const set of floodSets(work, context)) emit(work, floodItems(set))
}

/** Tap services get copies where their port is attached and up; the collectors of mirrors are elsewhere. */
function compileTaps(work: Work): void {
  const { view, numbers, input } = work
  for (const tap of view.taps.taps) emit(work, tapItems(tap, receiverOf(work, tap.service.port), numbers, input.facts))
  for (const mirror of view.taps.mirrors) emit(work, mirrorItems(mirror, numbers, input.facts))
}

function receiverOf(work: Work, port: Key): Receiver | undefined {
  const network = work.view.networks.find((n) => n.attaches.some((a) => a.port === port))
  const attach = network?.attaches.find((a) => a.port === port)
  if (network === undefined || attach === undefined || !network.segment.admin_state_up || !attach.admin_state_up) return undefined
  const { ofport, vlan } = work.wiring.get(port) ?? {}
  if (ofport === undefined) return undefined
  const limits = limitsFor(work, attach)
  return { ofport, ...(vlan === undefined ? {} : { vlan }), ...(limits === undefined ? {} : { limits }) }
}

/** Everything that the ids of conjunctions follow from. */
function policyRules({ policies }: HostView, numbers: Numbers): string {
  return conjunctionNames(policies.values())
    .map((name) => `${name} ${numbers.of('conjunction', name)}`)
    .join('\n')
}

/** The numbers a port's frames carry through the tables of security groups. */
function filterOf({ view, numbers }: Work, attach: AttachIntent): LocalContext['filter'] {
  const name = policyName(attach, view)
  if (name === undefined) return undefined
  return { rules: numbers.of('rules', name), zone: isTracked(attach, view) ? numbers.of('zone', attach.port) : 0 }
}

function limitsFor({ view, numbers }: Work, attach: AttachIntent): Limits | undefined {
  const qos = qosOf(attach.port, view.qos)
  return qos === undefined ? undefined : limitsOf(attach, qos, numbers)
}

function compileSegment(work: Work, context: NetworkContext): void {
  const { memo } = work
  const { number, peers, senders, provider, learning } = context
  const { segment, attaches } = context.view
  for (const peer of senders) {
    const at = `${number} ${peer.number} ${peer.ofport} ${peer.ip}`
    emit(
      work,
      memo.items(segment, `peer ${peer.host}`, at, () => peerItems(segment, number, peer)),
    )
  }
  const [first] = peers.values()
  if (first !== undefined) emit(work, tunnelKeyItems(segment, number, first.key))
  if (provider !== undefined) {
    const way = { ...provider, host: work.input.host }
    if (attaches.length > 0) emit(work, providerItems(segment, number, way))
    if (work.joined.has(segment.network)) emit(work, routedOutItems(segment, number, way))
  }
  if (attaches.length === 0) return
  if (isSnooped({ segment })) emit(work, snoopItems(segment, number, snoopMeter(segment, work.numbers)))
  if (learning)
    emit(
      work,
      memo.items(segment, 'learn', String(number), () => learnItems(segment, number)),
    )
}

/** Who gets copies: everyone; for unknown unicast those whose addresses nobody vouches for; for a MAC that several may use, these as well. */
function floodSets({ numbers, wiring }: Work, { view, number, peers, provider }: NetworkContext): FloodSet[] {
  const { segment, locations } = view
  const common = { owner: segment.network, network: number, provider: provider !== undefined }
  const up = locations.filter((l) => l.admin_state_up)
  const members = (ports: typeof up): FloodSet['members'] =>
    ports.flatMap((l) => (wiring.has(l.port) ? [{ port: l.port, number: numbers.of('port', l.port) }] : []))
  const hosts = (ports: typeof up): FloodSet['peers'] => {
    const at = new Set(ports.flatMap(hostsOf))
    return [...peers.values()].filter((p) => at.has(p.host))
  }
  const open = up.filter((l) => !l.port_security_enabled)
  const shared = new Set(up.flatMap((l) => l.other_macs ?? []))
  const claims = [...shared].sort().map((mac): FloodSet => {
    const users = up.filter((l) => !l.port_security_enabled || l.other_macs?.includes(mac))
    return { ...common, set: { mac }, members: members(users), peers: hosts(users) }
  })
  return [
    {
      ...common,
      set: 'all',
      members: members(up),
      peers: [...peers.values()],
      ...(segment.igmp_snooping === undefined ? {} : { snooped: true }),
    },
    { ...common, set: 'unknown', members: members(open), peers: hosts(open) },
    ...claims,
  ]
}

/**
 * All items by key. Where two resources ask for the same flow (two ports with one MAC), the one that sorts first has it, whatever the order of
 * the intents.
 */
function collect(batches: readonly (readonly Item[])[]): ReadonlyMap<string, Item> {
  const out = new Map<string, Item>()
  let total = 0
  for (const batch of batches) {
    total += batch.length
    for (const item of batch) out.set(item.key, item)
  }
  if (out.size === total) return out
  const first = new Map<string, Item>()
  for (const item of batches.flat()) {
    const other = first.get(item.key)
    if (other === undefined || compareOwners(item, other) < 0) first.set(item.key, item)
  }
  return first
}

function compareOwners(a: Item, b: Item): number {
  return compareText(a.owners[0] ?? '', b.owners[0] ?? '')
}
