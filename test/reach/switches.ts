import { join } from 'node:path'
import type { Compiled, Facts, IntentSet, InterfaceFact } from '../../agentd/backends/backend.ts'
import { createOvsCompiler } from '../../agentd/backends/ovs/compile/compile.ts'
import type { OvsValue } from '../../agentd/backends/ovs/compile/values.ts'
import { Unixctl } from '../../agentd/backends/ovs/driver/unixctl.ts'
import type { Intent } from '../../src/model/intent.ts'
import { makeKey } from '../../src/model/key.ts'
import type { IntentKey } from '../../src/model/scope.ts'
import type { World } from '../../src/server/engine/types.ts'
import type { RealSwitch } from '../agentd/backends/conformance/real.ts'
import { readInterfaces, startHost } from '../agentd/backends/conformance/real-world.ts'
import { build, findingsOf } from '../support/world.ts'
import { type Written, yamlOf } from './written.ts'

/** Guests that a host of these tests can have. */
const GUESTS = 6
const HOST_NAMES = ['h1', 'h2'] as const
export type HostName = (typeof HOST_NAMES)[number]
/** Questions to one switch that are under way at a time; each connection to its control socket is served in turn. */
const SOCKETS = 4

/** One host: a real switch with all rows that any of these worlds needs, whose flows are those of one world after the other. */
export interface ReachHost {
  readonly name: HostName
  readonly real: RealSwitch
  readonly sockets: readonly Unixctl[]
  readonly facts: Facts
}

export async function startHosts(): Promise<readonly ReachHost[]> {
  return await Promise.all(HOST_NAMES.map(startOne))
}

export async function stopHosts(hosts: readonly ReachHost[]): Promise<void> {
  for (const { sockets } of hosts) for (const socket of sockets) socket.close()
  await Promise.all(hosts.map((h) => h.real.close()))
}

/** A world with everything that needs a row: a tunnel and a provider network on each host. */
const ALL_CARRIERS = `
hosts:
  h1: { tunnel_ip: 192.0.2.1, bridge_mappings: { physnet1: br-ex } }
  h2: { tunnel_ip: 192.0.2.2, bridge_mappings: { physnet1: br-ex } }
networks:
  x: { network_type: vxlan, segmentation_id: 100 }
  v: { network_type: vlan, physical_network: physnet1, segmentation_id: 100 }
ports:
  x1: { network: x, host: h1 }
  x2: { network: x, host: h2 }
  v1: { network: v, host: h1 }
  v2: { network: v, host: h2 }
`

async function startOne(name: HostName, index: number): Promise<ReachHost> {
  const real = await startHost(index)
  const bare: Facts = {
    datapath_type: 'netdev',
    version: '3.1.0',
    capabilities: [],
    interfaces: {},
    bridges: ['br-ex', 'br-provider-two', 'br-und'],
  }
  const intents = intentsOf(build(ALL_CARRIERS), name)
  const { items } = createOvsCompiler().compile({ host: name, installation: 'test', intents, facts: bare, allocations: {} })
  await real.load({
    items: new Map([...items].filter(([key]) => key.startsWith('row '))),
    allocations: {},
    verdicts: new Map(),
    subjects: [],
  })
  const guests = Array.from({ length: GUESTS }, (_, i) => [
    '--',
    'add-port',
    'br-int',
    `vm-${i}`,
    '--',
    'set',
    'Interface',
    `vm-${i}`,
    'type=dummy',
  ])
  await real.vsctl(...guests.flat())
  await real.appctl.call('tnl/neigh/aging', '3600')
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => Unixctl.connect(join(real.directory, 'ovs-vswitchd.ctl'))))
  return { name, real, sockets, facts: { ...bare, interfaces: await readInterfaces(real) } }
}

/** What a host is told: the scopes that it needs. */
export function intentsOf(world: World, host: string): IntentSet {
  const scopes = [...(world.needs.get(host)?.keys() ?? [])]
  return new Map(scopes.map((scope) => [scope, new Map(world.scopes.get(scope)?.intents ?? [])]))
}

/** Mistakes made on purpose: in what a host is told, or in the flows that it is given (as text, one a line). */
export interface Fault {
  readonly intent?: (intent: Intent, host: HostName) => Intent | undefined
  readonly flow?: (flow: string, host: HostName) => string | readonly string[]
}

/** A world as both hosts have it now. */
export interface Loaded {
  readonly written: Written
  readonly hosts: ReadonlyMap<HostName, LoadedHost>
}

export interface LoadedHost {
  readonly host: ReachHost
  /** Device → port by name. */
  readonly guests: ReadonlyMap<string, string>
  /** Conntrack zone → port by name. */
  readonly zones: ReadonlyMap<number, string>
  readonly flows: readonly string[]
}

/** Compiles what was written as server and agents do, and gives both switches their flows. */
export async function load(written: Written, hosts: readonly ReachHost[], fault: Fault = {}): Promise<Loaded> {
  const world = build(yamlOf(written))
  const wrong = findingsOf(world).filter((f) => f.startsWith('E'))
  if (wrong.length > 0) throw new Error(`a world of these tests has mistakes:\n${wrong.join('\n')}`)
  const loaded = hosts.map((host) => compileFor(host, written, world, fault))
  await Promise.all(loaded.map(({ host, flows }) => host.real.replaceFlows(flows)))
  return { written, hosts: new Map(loaded.map((l) => [l.host.name, l])) }
}

function compileFor(host: ReachHost, written: Written, world: World, fault: Fault): LoadedHost {
  const here = Object.entries(written.ports).filter(([, p]) => p.host === host.name)
  const guests = new Map(here.map(([name], i) => [`vm-${i}`, name]))
  const interfaces: Record<string, InterfaceFact> = { ...host.facts.interfaces }
  for (const [device, name] of guests) {
    const id = world.resources.get(makeKey('port', 'default', name))?.id
    const fact = interfaces[device]
    if (id === undefined || fact === undefined) throw new Error(`port ${name} or its device ${device} is not there`)
    interfaces[device] = { ...fact, iface_id: id, attached_mac: written.ports[name]?.mac_address ?? '' }
  }
  const intents = spoiled(intentsOf(world, host.name), host.name, fault)
  const facts = { ...host.facts, interfaces }
  const compiled = createOvsCompiler().compile({ host: host.name, installation: 'test', intents, facts, allocations: {} })
  const zones = Object.entries(compiled.allocations['zone'] ?? {}).map(([key, zone]): [number, string] => [
    zone,
    key.split('/').at(-1) ?? key,
  ])
  return { host, guests, zones: new Map(zones), flows: flowsOf(compiled).flatMap((flow) => fault.flow?.(flow, host.name) ?? flow) }
}

function spoiled(intents: IntentSet, host: HostName, { intent: change }: Fault): IntentSet {
  if (change === undefined) return intents
  const one = ([key, intent]: readonly [IntentKey, Intent]): [IntentKey, Intent][] => {
    const changed = change(intent, host)
    return changed === undefined ? [] : [[key, changed]]
  }
  return new Map([...intents].map(([scope, held]) => [scope, new Map([...held].flatMap(one))]))
}

function flowsOf({ items }: Compiled): readonly string[] {
  return [...items.values()].filter((item) => (item.value as OvsValue).kind === 'flow').map((item) => item.text)
}
