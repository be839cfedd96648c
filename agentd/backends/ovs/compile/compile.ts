import type { AttachIntent } from '../../../../src/model/intent.ts'
import { compareText, type Key, makeKey } from '../../../../src/model/key.ts'
import type { Compiled, CompileInput, Compiler, Item } from '../../backend.ts'
import { connectionsOf } from './connections.ts'
import { carrierItems, type DeviceContext, plugItems } from './devices.ts'
import { type FloodSet, floodItems } from './flood.ts'
import { compileNothing } from './leave.ts'
import { type LocalContext, localItems } from './local.ts'
import { locationItems } from './location.ts'
import { Memo } from './memo.ts'
import { isReserved } from './names.ts'
import { type NetworkContext, networkContext, targetOf } from './network.ts'
import { allocateNumbers, type Numbers } from './numbers.ts'
import { outsideOf } from './outside.ts'
import { conjunctionNames, isTracked, policyName } from './policy.ts'
import { target } from './registers.ts'
import { policyItems, remoteItems } from './rules.ts'
import { learnItems, peerItems, providerItems, toPeerItems, tunnelKeyItems } from './segment.ts'
import { sharedItems } from './shared.ts'
import { verdictsOf } from './verdict.ts'
import { type HostView, viewOf } from './view.ts'
import { type Wiring, wire } from './wiring.ts'

/** Turns a host's intents into rows and flows of Open vSwitch. Pure to its callers; remembers what unchanged intents were compiled to. */
export function createOvsCompiler(): Compiler {
  const memo = new Memo()
  return { name: 'ovs', compile: (input) => (input.intents.size === 0 ? compileNothing(input) : compile(input, memo)) }
}

export const ovsCompiler: Compiler = createOvsCompiler()

/** Everything one compilation walks with. */
interface Work {
  readonly input: CompileInput
  readonly view: HostView
  readonly numbers: Numbers
  readonly wiring: ReadonlyMap<Key, Wiring>
  readonly memo: Memo
  readonly out: (readonly Item[])[]
}

function compile(input: CompileInput, memo: Memo): Compiled {
  const view = viewOf(input.host, input.intents, input.facts)
  const { numbers, table } = allocateNumbers(view, input.allocations)
  const wiring = wire(view.attaches, input.facts, numbers)
  const work: Work = { input, view, numbers, wiring, memo, out: [] }
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
  for (const policy of view.policies.values()) emit(work, policyItems(policy, numbers))
  memo.members.begin(policyRules(view, numbers))
  emit(work, remoteItems([...view.policies.values()], view.remotes, numbers, memo.members))
  const subjects = [makeKey('host', '', input.host), ...view.attaches.map((a) => a.port)]
  const verdicts = verdictsOf(view, wiring, input.facts)
  const connections = connectionsOf(view, numbers, table)
  return { items: collect(work.out), allocations: table, verdicts, subjects, outside: outsideOf(view, input.facts), connections }
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
  for (const attach of context.view.attaches) {
    if (!attach.admin_state_up) continue
    const self = target('port', numbers.of('port', attach.port))
    const ofport = wiring.get(attach.port)?.ofport
    const filter = filterOf(work, attach)
    const local = { network, self, ...(ofport === undefined ? {} : { ofport }), ...(filter === undefined ? {} : { filter }) }
    emit(
      work,
      memo.items(attach, 'local', `${network} ${self} ${ofport} ${filter?.rules} ${filter?.zone}`, () => localItems(attach, local)),
    )
  }
  for (const location of context.view.locations) {
    const local = wiring.has(location.port) ? numbers.of('port', location.port) : undefined
    const to = targetOf(location, context, input.host, local)
    if (to === undefined) continue
    emit(
      work,
      memo.items(location, 'location', `${network} ${to} ${learning}`, () => locationItems(location, { network, target: to, learning })),
    )
  }
  for (const set of floodSets(work, context)) emit(work, floodItems(set))
}

/** Everything that the ids of conjunctions follow from. */
function policyRules({ policies }: HostView, numbers: Numbers): string {
  return conjunctionNames(policies.values())
    .map((name) => `${name} ${numbers.of('conjunction', name)}`)
    .join('\n')
}

/** The numbers a port's frames carry through the tables of security groups. */
function filterOf({ view, numbers }: Work, attach: AttachIntent): LocalContext['filter'] {
  const { security_groups: groups, port } = attach
  if (groups === undefined) return undefined
  return { rules: numbers.of('rules', policyName(groups)), zone: isTracked(attach, view) ? numbers.of('zone', port) : 0 }
}

function compileSegment(work: Work, { view: { segment }, number, peers, provider, learning }: NetworkContext): void {
  const { memo } = work
  for (const peer of peers.values()) {
    const at = `${number} ${peer.number} ${peer.ofport} ${peer.ip}`
    emit(
      work,
      memo.items(segment, `peer ${peer.host}`, at, () => peerItems(segment, number, peer)),
    )
  }
  const [first] = peers.values()
  if (first !== undefined) emit(work, tunnelKeyItems(segment, number, first.key))
  if (provider !== undefined) emit(work, providerItems(segment, number, provider.ofport, provider.vlan))
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
    const at = new Set(ports.map((l) => l.host))
    return [...peers.values()].filter((p) => at.has(p.host))
  }
  const open = up.filter((l) => !l.port_security_enabled)
  const shared = new Set(up.flatMap((l) => l.other_macs ?? []))
  const claims = [...shared].sort().map((mac): FloodSet => {
    const users = up.filter((l) => !l.port_security_enabled || l.other_macs?.includes(mac))
    return { ...common, set: { mac }, members: members(users), peers: hosts(users) }
  })
  return [
    { ...common, set: 'all', members: members(up), peers: [...peers.values()] },
    { ...common, set: 'unknown', members: members(open), peers: hosts(open) },
    ...claims,
  ]
}

function emit({ out }: Pick<Work, 'out'>, items: readonly Item[]): void {
  out.push(items)
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
