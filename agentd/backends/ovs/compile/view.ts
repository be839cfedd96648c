import { groupBy } from '../../../../src/lib/group-by.ts'
import {
  type AttachIntent,
  domainOf,
  type HostIntent,
  hostsOf,
  type Intent,
  type LocationIntent,
  type QosIntent,
  type SegmentIntent,
  type TrunkIntent,
  type TunnelType,
} from '../../../../src/model/intent.ts'
import { compareText, type Key } from '../../../../src/model/key.ts'
import type { Facts, IntentSet } from '../../backend.ts'
import type { CarrierType } from './names.ts'
import { groupsOf, type Policy, type PortLogs, policiesOf, type Remote } from './policy.ts'
import { joinedNetworks, joinedWith, type RouterView, routersOf } from './routers.ts'
import { canMake, sameFamily, type TapView, tapCarriers, tapsOf } from './taps.ts'

/** The intents of a host, regrouped by network: what the compiler walks through. */
export interface HostView {
  readonly host: string
  readonly offer: HostIntent | undefined
  /** Where every host's tunnels end. */
  readonly endpoints: ReadonlyMap<string, string>
  readonly attaches: readonly AttachIntent[]
  readonly trunks: readonly TrunkIntent[]
  readonly routers: readonly RouterView[]
  /** Networks with at least one port to attach here, and those that such a port reaches through routers; sorted by key. */
  readonly networks: readonly NetworkView[]
  /** Sets of security groups that ports here have, by name, and those whom their rules speak of. */
  readonly policies: ReadonlyMap<string, Policy>
  readonly remotes: ReadonlyMap<Key, Remote>
  readonly qos: QosView
  readonly taps: TapView
  readonly portLogs: PortLogs
}

/** What ports may send and receive: the policy of each port that has one, and the policies. */
export interface QosView {
  readonly portPolicies: ReadonlyMap<Key, Key>
  readonly policies: ReadonlyMap<Key, QosIntent>
}

/** A network, or one segment of it where it has several: its ports hear each other and nobody else. */
export interface NetworkView {
  /** Tells it from all others on this host. */
  readonly id: string
  readonly segment: SegmentIntent
  /** None: the host only sends into it, what it has routed. */
  readonly attaches: readonly AttachIntent[]
  /** All ports of the network, wherever they live. */
  readonly locations: readonly LocationIntent[]
  readonly carrier: Carrier
}

/** How frames of a network reach other hosts. */
export type Carrier =
  | { readonly by: 'nothing' }
  /** `peers`: who has a port of it. `senders`: these, and who has a port of a network from which routers lead into it. */
  | {
      readonly by: 'tunnel'
      readonly type: TunnelType
      readonly key: number
      readonly peers: ReadonlyMap<string, string>
      readonly senders: ReadonlyMap<string, string>
    }
  /** `vlan` absent: flat. */
  | { readonly by: 'provider'; readonly bridge: string; readonly vlan?: number }

export function viewOf(host: string, intents: IntentSet, facts: Facts): HostView {
  const all = [...intents.values()].flatMap((scope) => [...scope.values()])
  const offer = all.find((i): i is HostIntent => i.type === 'host' && i.host === host)
  const endpoints = new Map(all.flatMap((i): [string, string][] => (i.type === 'endpoint' ? [[i.host, i.tunnel_ip]] : [])))
  const attaches = pick(all, 'attach')
  const byDomain = groupBy(attaches, domainOf)
  const located = pick(all, 'location')
  const locations = groupBy(located, domainOf)
  const routers = routersOf(all)
  const routed = new Set<Key>(joinedNetworks(routers))
  const senders = sendersOf(routers, located, (ports) =>
    offer?.tunnel_ip === undefined ? new Map() : peersOf(host, offer.tunnel_ip, ports, endpoints),
  )
  const networks = pick(all, 'segment')
    .map((segment) => ({ id: domainOf(segment), segment }))
    .filter(({ id, segment }) => byDomain.has(id) || routed.has(segment.network))
    .sort((a, b) => compareText(a.id, b.id))
    .map(({ id, segment }): NetworkView => {
      const here = locations.get(id) ?? []
      return {
        id,
        segment,
        attaches: byDomain.get(id) ?? [],
        locations: here,
        carrier: carrierOf(segment, { here, senders: senders(segment.network) }, offer, endpoints, facts),
      }
    })
  const known = groupsOf(pick(all, 'group'), pick(all, 'group_rule'), pick(all, 'member'), pick(all, 'addresses'))
  const trunks = pick(all, 'trunk')
  const qos: QosView = {
    portPolicies: new Map(pick(all, 'port_qos').map(({ port, policy }) => [port, policy])),
    policies: new Map(pick(all, 'qos').map((q) => [q.policy, q])),
  }
  const taps = tapsOf(all, { host, own: offer?.tunnel_ip, endpoints, facts })
  const portLogs: PortLogs = new Map(pick(all, 'port_log').map((log) => [log.port, log]))
  const policies = policiesOf(attaches, known, portLogs)
  return { host, offer, endpoints, attaches, trunks, routers, networks, policies, remotes: known.remotes, qos, taps, portLogs }
}

/** Who may send into a network: hosts with a port of it or of one from which routers lead into it. Undefined where no router is: its own ports' hosts. */
function sendersOf(
  routers: readonly RouterView[],
  located: readonly LocationIntent[],
  peers: (ports: readonly LocationIntent[]) => ReadonlyMap<string, string>,
): (network: Key) => ReadonlyMap<string, string> | undefined {
  const joined = joinedWith(routers)
  const byNetwork = routers.length === 0 ? new Map<Key, readonly LocationIntent[]>() : groupBy(located, (l) => l.network)
  const known = new Map<ReadonlySet<Key>, ReadonlyMap<string, string>>()
  return (network) => {
    const networks = joined.get(network)
    if (networks === undefined) return undefined
    const found = known.get(networks) ?? peers([...networks].flatMap((n) => byNetwork.get(n) ?? []))
    known.set(networks, found)
    return found
  }
}

export function isTunnelType(type: SegmentIntent['network_type']): type is TunnelType {
  return type === 'vxlan' || type === 'geneve' || type === 'gre'
}

/** Frames cannot leave the host when what would carry them is missing; `verdict.ts` says so to the operator. */
function carrierOf(
  segment: SegmentIntent,
  { here, senders }: { readonly here: readonly LocationIntent[]; readonly senders: ReadonlyMap<string, string> | undefined },
  offer: HostIntent | undefined,
  endpoints: ReadonlyMap<string, string>,
  facts: Facts,
): Carrier {
  if (isTunnelType(segment.network_type)) {
    const own = offer?.tunnel_ip
    if (own === undefined || segment.segmentation_id === undefined || !canMake(facts, segment.network_type)) return { by: 'nothing' }
    const peers = peersOf(offer?.host, own, here, endpoints)
    return {
      by: 'tunnel',
      type: segment.network_type,
      key: segment.segmentation_id,
      peers,
      senders: senders ?? peers,
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
  for (const location of locations) {
    for (const at of hostsOf(location)) {
      const ip = at === host || !location.admin_state_up ? undefined : endpoints.get(at)
      if (ip !== undefined && sameFamily(own, ip)) out.set(at, ip)
    }
  }
  return new Map([...out].sort(([a], [b]) => compareText(a, b)))
}

/** Of the tunnels that this host needs, for networks and for copies; sorted. */
export function tunnelTypes({ networks, taps }: Pick<HostView, 'networks' | 'taps'>): readonly CarrierType[] {
  const ofNetworks = networks.flatMap(({ carrier }) => (carrier.by === 'tunnel' ? [carrier.type] : []))
  return [...new Set([...ofNetworks, ...tapCarriers(taps)])].sort()
}

function pick<T extends Intent['type']>(intents: readonly Intent[], type: T): Extract<Intent, { type: T }>[] {
  return intents.filter((i): i is Extract<Intent, { type: T }> => i.type === type)
}
