import type { IntentSet } from '../../../../agentd/backends/backend.ts'
import { formatIp } from '../../../../src/lib/ip.ts'
import { linkLocalAddress } from '../../../../src/lib/mac.ts'
import {
  type AllowedAddress,
  type AttachIntent,
  domainOf,
  type EndpointIntent,
  type GroupRule,
  type HostIntent,
  hostsOf,
  type Intent,
  type LocationIntent,
  type NetworkType,
  type Plug,
  type QosIntent,
  type SegmentIntent,
  type TapDirection,
  type TrunkIntent,
} from '../../../../src/model/intent.ts'
import { type Key, makeKey } from '../../../../src/model/key.ts'
import {
  addressesScope,
  FABRIC,
  groupScope,
  hostScope,
  type IntentKey,
  intentKey,
  membersScope,
  networkScope,
  qosScope,
  routerScope,
  type Scope,
  tapScope,
} from '../../../../src/model/scope.ts'

/** A small world as a test writes it; everything left out is as Neutron would default it. */
export interface WorldInput {
  readonly hosts: Readonly<Record<string, { readonly tunnel_ip?: string; readonly bridge_mappings?: Readonly<Record<string, string>> }>>
  readonly networks: Readonly<Record<string, NetworkInput>>
  readonly ports: Readonly<Record<string, PortInput>>
  /** Security groups by name. Their members are the ports that name them. */
  readonly groups?: Readonly<Record<string, GroupInput>>
  /** Address groups by name. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>
  /** Parents whose trunk is down. */
  readonly trunksDown?: readonly string[]
  /** Tap services by name. */
  readonly taps?: Readonly<Record<string, TapInput>>
  readonly routers?: Readonly<Record<string, RouterInput>>
}

export interface RouterInput {
  readonly up?: boolean
  /** Network → tag of its MAC there, and its addresses with prefix length. */
  readonly legs: Readonly<Record<string, { readonly tag: string; readonly addresses: readonly string[] }>>
  readonly routes?: readonly { readonly to: string; readonly via: string; readonly network: string }[]
}

export interface TapInput {
  readonly port: string
  readonly key: number
  readonly flows: readonly { readonly from: string; readonly direction: TapDirection }[]
}

export interface GroupInput {
  readonly stateful?: boolean
  readonly rules: readonly GroupRule[]
}

export interface NetworkInput extends Carriage {
  /** Several, by name, instead of the network's own. */
  readonly segments?: Readonly<Record<string, Carriage>>
  readonly up?: boolean
}

export interface Carriage {
  readonly type: NetworkType
  readonly physical_network?: string
  readonly id?: number
}

export interface PortInput {
  readonly network: string
  /** Which one of its network's. */
  readonly segment?: string
  /** Absent: bound nowhere. */
  readonly host?: string
  /** It is on its way there. */
  readonly migratingTo?: string
  /** Two hex digits; the MAC is 02:00:00:00:00:<tag>. */
  readonly tag: string
  readonly ips?: readonly string[]
  readonly security?: boolean
  readonly allowed?: readonly AllowedAddress[]
  readonly up?: boolean
  readonly plug?: Plug
  /** Security groups; absent: it is under no rules. */
  readonly groups?: readonly string[]
  /** What its QoS policy, which is its own, says. */
  readonly qos?: Omit<QosIntent, 'type' | 'policy'>
  /** The interface is not there (yet). */
  readonly unplugged?: boolean
  /** It is a subport: its frames come through the interface of another port, tagged. */
  readonly inside?: { readonly parent: string; readonly vlan: number }
}

export interface World {
  readonly input: WorldInput
  readonly hosts: readonly HostIntent[]
  readonly ports: ReadonlyMap<string, { readonly attach: AttachIntent; readonly location: LocationIntent }>
  /** What each host is given. Intent objects are shared between hosts. */
  readonly intents: ReadonlyMap<string, IntentSet>
}

export function macOf(tag: string): string {
  return `02:00:00:00:00:${tag}`
}

export function linkLocalOf(tag: string): string {
  return formatIp(6, linkLocalAddress(macOf(tag)))
}

export function portKey(name: string): Key {
  return makeKey('port', 'default', name)
}

export function groupKey(name: string): Key {
  return makeKey('security_group', 'default', name)
}

export function addressesKey(name: string): Key {
  return makeKey('address_group', 'default', name)
}

export function networkKey(name: string): Key {
  return makeKey('network', 'default', name)
}

/** A stable UUID for a port. */
export function ifaceId(name: string): string {
  return `00000000-0000-4000-8000-${Buffer.from(name).toString('hex').padStart(12, '0').slice(-12)}`
}

export function makeWorld(input: WorldInput): World {
  const hosts = Object.entries(input.hosts).map(
    ([host, h]): HostIntent => ({
      type: 'host',
      host,
      bridge_mappings: h.bridge_mappings ?? {},
      installation: 'test',
      drift: { mode: 'repair', schedule: '*/10 * * * *' },
      ...(h.tunnel_ip === undefined ? {} : { tunnel_ip: h.tunnel_ip }),
    }),
  )
  const ports = new Map(
    Object.entries(input.ports).map(([name, port]) => [name, { attach: attachOf(name, port), location: locationOf(name, port) }]),
  )
  const segments = new Map(Object.entries(input.networks).map(([name, network]) => [networkKey(name), segmentsOf(name, network)]))
  const intents = new Map(hosts.map((host) => [host.host, intentsOf(host, hosts, [...ports.values()], segments, input)]))
  return { input, hosts, ports, intents }
}

function attachOf(name: string, port: PortInput): AttachIntent {
  const mac = macOf(port.tag)
  const ips = port.ips ?? []
  return {
    type: 'attach',
    port: portKey(name),
    id: ifaceId(name),
    network: networkKey(port.network),
    mac,
    admin_state_up: port.up ?? true,
    mtu: 1450,
    plug: port.plug ?? { by: 'external' },
    port_security_enabled: port.security ?? true,
    allowed: [...ips.map((ip) => ({ mac, prefix: `${ip}/${ip.includes(':') ? 128 : 32}` })), ...(port.allowed ?? [])],
    addresses: ips.map((ip) => `${ip}/${ip.includes(':') ? 64 : 24}`),
    ...inSegment(port),
    ...(port.groups === undefined ? {} : { security_groups: port.groups.map(groupKey).sort() }),
  }
}

function locationOf(name: string, port: PortInput): LocationIntent {
  return {
    type: 'location',
    port: portKey(name),
    network: networkKey(port.network),
    ...(port.host === undefined ? {} : { host: port.host }),
    ...(port.migratingTo === undefined ? {} : { migrating_to: port.migratingTo }),
    mac: macOf(port.tag),
    ips: port.ips ?? [],
    port_security_enabled: port.security ?? true,
    admin_state_up: port.up ?? true,
    ...otherMacs(port),
    ...inSegment(port),
  }
}

function inSegment({ segment }: PortInput): { readonly segment?: string } {
  return segment === undefined ? {} : { segment }
}

function otherMacs(port: PortInput): { readonly other_macs?: readonly string[] } {
  const macs = new Set((port.allowed ?? []).map((a) => a.mac).filter((mac) => mac !== macOf(port.tag)))
  return macs.size === 0 || port.security === false ? {} : { other_macs: [...macs].sort() }
}

function segmentsOf(name: string, network: NetworkInput): readonly SegmentIntent[] {
  const { segments, up } = network
  if (segments === undefined) return [segmentOf(name, network, up)]
  return Object.entries(segments).map(([segment, carriage]) => ({ ...segmentOf(name, carriage, up), segment }))
}

function segmentOf(name: string, carriage: Carriage, up: boolean | undefined): SegmentIntent {
  return {
    type: 'segment',
    network: networkKey(name),
    network_type: carriage.type,
    ...(carriage.physical_network === undefined ? {} : { physical_network: carriage.physical_network }),
    ...(carriage.id === undefined ? {} : { segmentation_id: carriage.id }),
    mtu: 1450,
    admin_state_up: up ?? true,
  }
}

function intentsOf(
  host: HostIntent,
  hosts: readonly HostIntent[],
  ports: readonly { readonly attach: AttachIntent; readonly location: LocationIntent }[],
  segments: ReadonlyMap<Key, readonly SegmentIntent[]>,
  input: WorldInput,
): IntentSet {
  const out = new Map<Scope, Map<IntentKey, Intent>>()
  const add = (scope: Scope, key: IntentKey, intent: Intent): void => {
    const scoped = out.get(scope) ?? new Map<IntentKey, Intent>()
    out.set(scope, scoped.set(key, intent))
  }
  for (const h of hosts) {
    if (h.tunnel_ip === undefined) continue
    const endpoint: EndpointIntent = { type: 'endpoint', host: h.host, tunnel_ip: h.tunnel_ip }
    add(FABRIC, intentKey('endpoint', h.host), endpoint)
  }
  add(hostScope(host.host), intentKey('host', host.host), host)
  const here = ports.filter((p) => hostsOf(p.location).includes(host.host))
  for (const { attach } of here) add(hostScope(host.host), intentKey('attach', attach.port), attach)
  for (const trunk of trunksOf(input, host.host)) add(hostScope(host.host), intentKey('trunk', trunk.trunk), trunk)
  const reached = reachedFrom(
    here.map((p) => p.attach.network),
    input,
  )
  for (const [name, router] of Object.entries(input.routers ?? {}))
    if (Object.keys(router.legs).some((n) => reached.has(networkKey(n)))) addRouter(add, name, router)
  for (const network of reached) {
    for (const segment of segments.get(network) ?? []) add(networkScope(network), intentKey('segment', domainOf(segment)), segment)
    for (const { location } of ports)
      if (location.network === network) add(networkScope(network), intentKey('location', location.port), location)
  }
  for (const [name, { qos, host: at }] of Object.entries(input.ports)) {
    if (qos === undefined || at !== host.host) continue
    const policy = makeKey('qos_policy', 'default', name)
    add(qosScope(policy), intentKey('qos', policy), { ...qos, policy, type: 'qos' })
    add(hostScope(host.host), intentKey('port_qos', portKey(name)), { policy, port: portKey(name), type: 'port_qos' })
  }
  for (const [name, tap] of Object.entries(input.taps ?? {})) addTap(add, name, tap, host.host, input)
  const used = new Set(here.flatMap(({ attach }) => attach.security_groups ?? []))
  for (const [name, group] of Object.entries(input.groups ?? {})) if (used.has(groupKey(name))) addGroup(add, name, group, ports, input)
  return out
}

/** Networks that ports on these can reach, through however many routers. */
function reachedFrom(networks: readonly Key[], { routers = {} }: WorldInput): ReadonlySet<Key> {
  const reached = new Set(networks)
  for (let size = -1; size < reached.size; ) {
    size = reached.size
    for (const { legs } of Object.values(routers)) {
      const joined = Object.keys(legs).map(networkKey)
      if (joined.some((n) => reached.has(n))) for (const n of joined) reached.add(n)
    }
  }
  return reached
}

function addRouter(add: Add, name: string, { up = true, legs, routes = [] }: RouterInput): void {
  const router = makeKey('router', 'default', name)
  const scope = routerScope(router)
  add(scope, intentKey('router', router), { type: 'router', router, admin_state_up: up })
  for (const [n, { tag, addresses }] of Object.entries(legs))
    add(scope, intentKey('leg', n), { type: 'leg', router, network: networkKey(n), mac: macOf(tag), addresses })
  for (const { to, via, network } of routes) {
    const nexthops = [{ address: via, network: networkKey(network) }]
    add(scope, intentKey('route', to), { type: 'route', router, destination: to, nexthops })
  }
}

/** One for each port through whose interface others come. */
function trunksOf({ ports, trunksDown = [] }: WorldInput, host: string): readonly TrunkIntent[] {
  const inside = Object.entries(ports).flatMap(([name, p]) => (p.inside === undefined ? [] : [{ name, ...p.inside }]))
  const parents = [...new Set(inside.map((s) => s.parent))].filter((name) => ports[name]?.host === host)
  return parents.map((parent) => ({
    type: 'trunk',
    trunk: makeKey('trunk', 'default', parent),
    parent: portKey(parent),
    admin_state_up: !trunksDown.includes(parent),
    subports: inside.filter((s) => s.parent === parent).map((s) => ({ port: portKey(s.name), vlan_id: s.vlan })),
  }))
}

type Add = (scope: Scope, key: IntentKey, intent: Intent) => void

/** For hosts that have to do with it. */
function addTap(add: Add, name: string, { port, key, flows }: TapInput, host: string, { ports }: WorldInput): void {
  const hosts = (of: string): readonly string[] =>
    hostsOf({
      ...(ports[of]?.host === undefined ? {} : { host: ports[of].host }),
      ...(ports[of]?.migratingTo === undefined ? {} : { migrating_to: ports[of].migratingTo }),
    })
  if (![port, ...flows.map((f) => f.from)].some((p) => hosts(p).includes(host))) return
  const tap = makeKey('tap_service', 'default', name)
  add(tapScope(tap), intentKey('tap', tap), { type: 'tap', tap, port: portKey(port), hosts: hosts(port), tunnel: { type: 'vxlan', key } })
  for (const { from, direction } of flows) {
    const flow = makeKey('tap_flow', 'default', `${name}-${from}-${direction}`)
    add(tapScope(tap), intentKey('tap_flow', flow), { type: 'tap_flow', flow, tap, port: portKey(from), hosts: hosts(from), direction })
  }
}

/** A group with its rules, and everybody they speak of. */
function addGroup(
  add: Add,
  name: string,
  { stateful = true, rules }: GroupInput,
  ports: readonly { readonly attach: AttachIntent }[],
  input: WorldInput,
): void {
  const group = groupKey(name)
  add(groupScope(group), intentKey('group', group), { type: 'group', group, stateful })
  for (const [i, rule] of rules.entries()) add(groupScope(group), intentKey('group_rule', `${i}`), { type: 'group_rule', group, rule })
  for (const { remote } of rules) {
    if (remote !== undefined && 'group' in remote) {
      for (const { attach } of ports) {
        if (attach.security_groups?.includes(remote.group) !== true) continue
        const prefixes = [...new Set(attach.allowed.map((a) => a.prefix))].sort()
        const member: Intent = { type: 'member', group: remote.group, port: attach.port, prefixes }
        add(membersScope(remote.group), intentKey('member', attach.port), member)
      }
    }
    if (remote !== undefined && 'addresses' in remote) {
      const held = Object.entries(input.addresses ?? {}).find(([a]) => addressesKey(a) === remote.addresses)
      add(addressesScope(remote.addresses), intentKey('addresses', remote.addresses), {
        type: 'addresses',
        addresses: remote.addresses,
        prefixes: [...(held?.[1] ?? [])].sort(),
      })
    }
  }
}
