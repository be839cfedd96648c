import type { Compiled, Facts, InterfaceFact } from '../../../../agentd/backends/backend.ts'
import type { Arrival, Departure, Frame } from '../../../../agentd/backends/fake/frame.ts'
import { createOvsCompiler } from '../../../../agentd/backends/ovs/compile/compile.ts'
import { patchPorts, tunnelPort } from '../../../../agentd/backends/ovs/compile/names.ts'
import { LEARNED } from '../../../../agentd/backends/ovs/compile/pipeline.ts'
import { hostsOf } from '../../../../src/model/intent.ts'
import { frameHex } from './bytes.ts'
import { isUnplugged } from './fake-world.ts'
import { RealSwitch } from './real.ts'
import { type Devices, departuresOf } from './trace.ts'
import { ifaceId, macOf, portKey, type World } from './world.ts'

/** Addresses that a switch's underlay bridge can have: worlds choose their hosts' tunnel_ip among these, one switch per host. */
export const UNDERLAY: readonly { readonly v4: string; readonly v6: string }[] = [1, 2, 3, 4].map((n) => ({
  v4: `192.0.2.${n}`,
  v6: `2001:db8::${n}`,
}))

/** Provider bridges that every switch has; each has a NIC. */
export const BRIDGES = ['br-ex', 'br-provider-two'] as const
const NICS = new Map([
  ['nic-ex', 'br-ex'],
  ['nic-two', 'br-provider-two'],
])

/** One switch for host number `index`, with everything that is not ours: underlay, routes, provider bridges. */
export async function startHost(index: number): Promise<RealSwitch> {
  const own = UNDERLAY[index]
  if (own === undefined) throw new Error(`no underlay address for host ${index}`)
  const real = await RealSwitch.start()
  try {
    await prepare(real, own)
  } catch (error) {
    await real.close()
    throw error
  }
  return real
}

async function prepare(real: RealSwitch, own: (typeof UNDERLAY)[number]): Promise<void> {
  const bridges = ['br-und', ...BRIDGES].flatMap((b) => ['--', 'add-br', b, '--', 'set', 'Bridge', b, 'datapath_type=netdev'])
  const nics = [['nic', 'br-und'], ...NICS].flatMap(([nic = '', bridge = '']) => [
    '--',
    'add-port',
    bridge,
    nic,
    '--',
    'set',
    'Interface',
    nic,
    'type=dummy',
  ])
  await real.vsctl(...bridges, ...nics)
  await real.inside('ip', 'link', 'set', 'br-und', 'up')
  await real.inside('ip', 'address', 'add', `${own.v4}/24`, 'dev', 'br-und')
  await real.inside('ip', 'address', 'add', `${own.v6}/64`, 'dev', 'br-und', 'nodad')
  for (const [i, other] of UNDERLAY.entries()) {
    for (const ip of [other.v4, other.v6]) await real.appctl.call('tnl/neigh/set', 'br-und', ip, `0e:00:00:00:00:0${i}`)
  }
}

/** A world loaded into real switches. */
export interface LoadedWorld {
  forward(host: string, arrival: Arrival, frame: Frame): Promise<readonly Departure[]>
  /** What each host's items are now. */
  readonly compiled: ReadonlyMap<string, Compiled>
  /** Forgets learned addresses, ours and those of provider bridges. */
  forget(): Promise<void>
  text(host: string, arrival: Arrival, frame: Frame): Promise<string>
}

interface LoadedHost {
  readonly real: RealSwitch
  readonly compiled: Compiled
  readonly facts: Facts
  readonly devices: Devices
  readonly guestOf: ReadonlyMap<string, string>
}

/** Host n of the world goes into switch n. */
export async function loadWorld(world: World, switches: readonly RealSwitch[]): Promise<LoadedWorld> {
  const hosts = new Map<string, LoadedHost>()
  await Promise.all(
    world.hosts.map(async ({ host }, i) => {
      const real = switches[i]
      if (real === undefined) throw new Error('more hosts than switches')
      hosts.set(host, await loadHost(world, host, real))
    }),
  )
  const hostOf = (name: string): LoadedHost => {
    const found = hosts.get(name)
    if (found === undefined) throw new Error(`no host ${name}`)
    return found
  }
  const text = async (host: string, arrival: Arrival, frame: Frame): Promise<string> => {
    const at = hostOf(host)
    for (const bridge of BRIDGES) await at.real.appctl.call('fdb/flush', bridge)
    const [bridge, flow, vlan] = entrance(at, arrival)
    const sent = vlan === undefined ? frame : { ...frame, vlan }
    return at.real.appctl.call('ofproto/trace', '--names', ...connectionOf(frame), bridge, flow, frameHex(sent))
  }
  return {
    text,
    compiled: new Map([...hosts].map(([host, at]) => [host, at.compiled])),
    async forward(host, arrival, frame) {
      // No wire ends at a bridge that is not there.
      if (arrival.by === 'provider' && !BRIDGES.some((bridge) => bridge === arrival.bridge)) return []
      const at = hostOf(host)
      const tag = arrival.by === 'port' ? (frame.vlan ?? entrance(at, arrival)[2]) : undefined
      return departuresOf(await text(host, arrival, frame), at.devices, tag)
    },
    async forget() {
      await Promise.all([...hosts.values()].map((at) => at.real.ofctl('del-flows', 'br-int', `table=${LEARNED}`)))
    },
  }
}

/** More look-ups than any frame meets. */
const MOST_LOOKUPS = 20

/** What every look-up among connections finds; without a word it finds nothing: `trk,new`. */
function connectionOf({ connection }: Frame): readonly string[] {
  if (connection === undefined) return []
  const state = connection === 'answer' ? 'trk,est,rpl' : 'trk,est'
  return Array.from({ length: MOST_LOOKUPS }, () => ['--ct-next', state]).flat()
}

async function loadHost(world: World, host: string, real: RealSwitch): Promise<LoadedHost> {
  const compiler = createOvsCompiler()
  const intents = world.intents.get(host) ?? new Map()
  const patches = BRIDGES.flatMap((b) => ['--', '--if-exists', 'del-port', b, patchPorts(b).ext])
  await real.vsctl('--if-exists', 'del-br', 'br-int', ...patches)
  const bare: Facts = { datapath_type: 'netdev', version: '3.1.0', capabilities: [], interfaces: {}, bridges: [...BRIDGES, 'br-und'] }
  const first = compiler.compile({ host, installation: 'test', intents, facts: bare, allocations: {} })
  await real.load({ ...first, items: new Map([...first.items].filter(([key]) => key.startsWith('row '))) })
  const guestOf = await plugGuests(world, host, real)
  const facts = { ...bare, interfaces: await readInterfaces(real) }
  const compiled = compiler.compile({ host, installation: 'test', intents, facts, allocations: first.allocations })
  await real.load(compiled)
  const guests = new Map([...guestOf].map(([port, name]) => [name, { by: 'port', port: portKey(port) } as const]))
  return { real, compiled, facts, devices: { guests, tagged: taggedOf(world, guestOf), nics: NICS }, guestOf }
}

/** Subports by the device of their parent and their VLAN. */
function taggedOf({ input }: World, guestOf: ReadonlyMap<string, string>): Devices['tagged'] {
  return new Map(
    Object.entries(input.ports).flatMap(([name, { inside }]) => {
      const device = inside === undefined ? undefined : guestOf.get(inside.parent)
      return device === undefined ? [] : [[`${device} ${inside?.vlan}`, { by: 'port', port: portKey(name) } as const] as const]
    }),
  )
}

/** What a hypervisor does: a device per port, marked with its id. Ports the agent makes get theirs from the compiled rows. */
async function plugGuests(world: World, host: string, real: RealSwitch): Promise<ReadonlyMap<string, string>> {
  const out = new Map<string, string>()
  const commands: string[] = []
  for (const [name, { attach, location }] of world.ports) {
    if (!hostsOf(location).includes(host) || isUnplugged(name, world)) continue
    const device = attach.plug.by === 'agent' ? attach.plug.interface : `vm-${out.size}`
    out.set(name, device)
    if (attach.plug.by === 'agent') continue
    const ids = [`external_ids:iface-id=${ifaceId(name)}`, `external_ids:attached-mac="${macOf(world.input.ports[name]?.tag ?? '')}"`]
    commands.push('--', 'add-port', 'br-int', device, '--', 'set', 'Interface', device, 'type=dummy', ...ids)
  }
  if (commands.length > 0) await real.vsctl(...commands)
  return out
}

/** What OVSDB says of the interfaces of br-int. */
export async function readInterfaces(real: RealSwitch): Promise<Record<string, InterfaceFact>> {
  const text = await real.vsctl('--format=json', '--columns=name,ofport,error,type,external_ids', 'list', 'Interface')
  const { data } = JSON.parse(text) as { data: [string, number | unknown[], string | unknown[], string, ['map', [string, string][]]][] }
  const ports = new Set((await real.vsctl('list-ports', 'br-int')).split('\n'))
  const out: Record<string, InterfaceFact> = {}
  for (const [name, ofport, error, type, [, ids]] of data) {
    if (!ports.has(name)) continue
    const id = new Map(ids)
    const iface_id = id.get('iface-id')
    const attached_mac = id.get('attached-mac')
    out[name] = {
      bridge: 'br-int',
      type,
      ours: id.has('netloom-owner'),
      ...(typeof ofport === 'number' ? { ofport } : {}),
      ...(iface_id === undefined ? {} : { iface_id }),
      ...(attached_mac === undefined ? {} : { attached_mac }),
      ...(typeof error === 'string' ? { error } : {}),
    }
  }
  return out
}

/** Bridge and flow with which a trace begins, and the tag that a guest gives the frames of a subport. */
function entrance(at: LoadedHost, arrival: Arrival): readonly [string, string, number?] {
  if (arrival.by === 'port') {
    const isIt = ([, way]: readonly [string, Departure]): boolean => way.by === 'port' && way.port === arrival.port
    const [device, vlan] = [...at.devices.tagged].find(isIt)?.[0].split(' ') ?? []
    const name = device ?? [...at.devices.guests].find(isIt)?.[0]
    if (name === undefined) throw new Error(`${arrival.port} is not plugged here`)
    return ['br-int', `in_port=${name}`, ...(vlan === undefined ? ([] as const) : ([Number(vlan)] as const))]
  }
  if (arrival.by === 'provider') {
    const nic = [...NICS].find(([, bridge]) => bridge === arrival.bridge)?.[0]
    return [arrival.bridge, `in_port=${nic}`]
  }
  const name = tunnelPort(arrival.type)
  // A host without the tunnel port never takes such a frame up.
  if (at.facts.interfaces[name] === undefined) return ['br-int', 'in_port=LOCAL']
  // With a packet given, the trace keeps tunnel metadata only when there is a destination in it.
  const v6 = arrival.from.includes(':')
  const source = v6 ? `tun_ipv6_src=${arrival.from},tun_ipv6_dst=2001:db8::ff` : `tun_src=${arrival.from},tun_dst=192.0.2.255`
  return ['br-int', `in_port=${name},tun_id=${arrival.key},${source}`]
}
