import { parseIp } from '../../../../src/lib/ip.ts'
import {
  type AttachIntent,
  domainOf,
  type HostIntent,
  type Intent,
  type LocationIntent,
  type SegmentIntent,
  type TunnelType,
} from '../../../../src/model/intent.ts'
import { compareText, type Key } from '../../../../src/model/key.ts'
import type { Facts, IntentSet } from '../../backend.ts'
import { groupsOf, type Policy, policiesOf, type Remote } from './policy.ts'

/** The intents of a host, regrouped by network: what the compiler walks through. */
export interface HostView {
  readonly host: string
  readonly offer: HostIntent | undefined
  /** Where every host's tunnels end. */
  readonly endpoints: ReadonlyMap<string, string>
  readonly attaches: readonly AttachIntent[]
  /** Networks with at least one port to attach here, sorted by key. */
  readonly networks: readonly NetworkView[]
  /** Sets of security groups that ports here have, by name, and those whom their rules speak of. */
  readonly policies: ReadonlyMap<string, Policy>
  readonly remotes: ReadonlyMap<Key, Remote>
}

/** A network, or one segment of it where it has several: its ports hear each other and nobody else. */
export interface NetworkView {
  /** Tells it from all others on this host. */
  readonly id: string
  readonly segment: SegmentIntent
  readonly attaches: readonly AttachIntent[]
  /** All ports of the network, wherever they live. */
  readonly locations: readonly LocationIntent[]
  readonly carrier: Carrier
}

/** How frames of a network reach other hosts. */
export type Carrier =
  | { readonly by: 'nothing' }
  | { readonly by: 'tunnel'; readonly type: TunnelType; readonly key: number; readonly peers: ReadonlyMap<string, string> }
  /** `vlan` absent: flat. */
  | { readonly by: 'provider'; readonly bridge: string; readonly vlan?: number }

export function viewOf(host: string, intents: IntentSet, facts: Facts): HostView {
  const all = [...intents.values()].flatMap((scope) => [...scope.values()])
  const offer = all.find((i): i is HostIntent => i.type === 'host' && i.host === host)
  const endpoints = new Map(all.flatMap((i): [string, string][] => (i.type === 'endpoint' ? [[i.host, i.tunnel_ip]] : [])))
  const attaches = pick(all, 'attach')
  const byDomain = groupBy(attaches, domainOf)
  const locations = groupBy(pick(all, 'location'), domainOf)
  const networks = pick(all, 'segment')
    .map((segment) => ({ id: domainOf(segment), segment }))
    .filter(({ id }) => byDomain.has(id))
    .sort((a, b) => compareText(a.id, b.id))
    .map(({ id, segment }): NetworkView => {
      const here = locations.get(id) ?? []
      return {
        id,
        segment,
        attaches: byDomain.get(id) ?? [],
        locations: here,
        carrier: carrierOf(segment, here, offer, endpoints, facts),
      }
    })
  const known = groupsOf(pick(all, 'group'), pick(all, 'group_rule'), pick(all, 'member'), pick(all, 'addresses'))
  return { host, offer, endpoints, attaches, networks, policies: policiesOf(attaches, known), remotes: known.remotes }
}

export function isTunnelType(type: SegmentIntent['network_type']): type is TunnelType {
  return type === 'vxlan' || type === 'geneve' || type === 'gre'
}

/** Frames cannot leave the host when what would carry them is missing; `verdict.ts` says so to the operator. */
function carrierOf(
  segment: SegmentIntent,
  locations: readonly LocationIntent[],
  offer: HostIntent | undefined,
  endpoints: ReadonlyMap<string, string>,
  facts: Facts,
): Carrier {
  if (isTunnelType(segment.network_type)) {
    const own = offer?.tunnel_ip
    if (own === undefined || segment.segmentation_id === undefined || !canMake(facts, segment.network_type)) return { by: 'nothing' }
    return {
      by: 'tunnel',
      type: segment.network_type,
      key: segment.segmentation_id,
      peers: peersOf(offer?.host, own, locations, endpoints),
    }
  }
  if (segment.network_type === 'local') return { by: 'nothing' }
  const bridge = offer?.bridge_mappings[segment.physical_network ?? '']
  if (bridge === undefined || !facts.bridges.includes(bridge)) return { by: 'nothing' }
  if (segment.network_type === 'flat') return { by: 'provider', bridge }
  return segment.segmentation_id === undefined ? { by: 'nothing' } : { by: 'provider', bridge, vlan: segment.segmentation_id }
}

/** Other hosts with a port of the network that is up, and where their tunnels end. An endpoint of the other IP version cannot be reached. */
function peersOf(
  host: string | undefined,
  own: string,
  locations: readonly LocationIntent[],
  endpoints: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const out = new Map<string, string>()
  for (const { host: at, admin_state_up: up } of locations) {
    const ip = at === undefined || at === host || !up ? undefined : endpoints.get(at)
    if (at !== undefined && ip !== undefined && sameFamily(own, ip)) out.set(at, ip)
  }
  return new Map([...out].sort(([a], [b]) => compareText(a, b)))
}

export function sameFamily(a: string, b: string): boolean {
  return parseIp(a)?.family === parseIp(b)?.family
}

/** Capabilities name the interface types the switch can make (`iface_types`); without any name nothing is ruled out. */
export function canMake(facts: Facts, type: string): boolean {
  return facts.capabilities.length === 0 || facts.capabilities.includes(type)
}

function pick<T extends Intent['type']>(intents: readonly Intent[], type: T): Extract<Intent, { type: T }>[] {
  return intents.filter((i): i is Extract<Intent, { type: T }> => i.type === type)
}

function groupBy<T, K>(values: readonly T[], keyOf: (value: T) => K): Map<K, T[]> {
  const out = new Map<K, T[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = out.get(key)
    if (group === undefined) out.set(key, [value])
    else group.push(value)
  }
  return out
}
