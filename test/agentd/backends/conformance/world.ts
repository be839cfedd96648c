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
  type Intent,
  type LocationIntent,
  type NetworkType,
  type Plug,
  type SegmentIntent,
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
  type Scope,
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
  /** Two hex digits; the MAC is 02:00:00:00:00:<tag>. */
  readonly tag: string
  readonly ips?: readonly string[]
  readonly security?: boolean
  readonly allowed?: readonly AllowedAddress[]
  readonly up?: boolean
  readonly plug?: Plug
  /** Security groups; absent: it is under no rules. */
  readonly groups?: readonly string[]
  /** The interface is not there (yet). */
  readonly unplugged?: boolean
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
  const here = ports.filter((p) => p.location.host === host.host)
  for (const { attach } of here) add(hostScope(host.host), intentKey('attach', attach.port), attach)
  for (const network of new Set(here.map((p) => p.attach.network))) {
    for (const segment of segments.get(network) ?? []) add(networkScope(network), intentKey('segment', domainOf(segment)), segment)
    for (const { location } of ports)
      if (location.network === network) add(networkScope(network), intentKey('location', location.port), location)
  }
  const used = new Set(here.flatMap(({ attach }) => attach.security_groups ?? []))
  for (const [name, group] of Object.entries(input.groups ?? {})) if (used.has(groupKey(name))) addGroup(add, name, group, ports, input)
  return out
}

type Add = (scope: Scope, key: IntentKey, intent: Intent) => void

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
