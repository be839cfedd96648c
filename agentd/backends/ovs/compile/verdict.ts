import { listed } from '../../../../src/lib/text.ts'
import { domainOf, type SegmentIntent, type TunnelType } from '../../../../src/model/intent.ts'
import { type Key, makeKey } from '../../../../src/model/key.ts'
import type { Facts, Verdict } from '../../backend.ts'
import { patchPorts, tunnelPort } from './names.ts'
import { tunnelTypes } from './outside.ts'
import { providerFault } from './provider.ts'
import { canMake, type HostView, isTunnelType, type NetworkView, sameFamily } from './view.ts'
import type { Wiring } from './wiring.ts'

/** What can be said of every resource before anything is written. The first that applies: down, not plugged, not carried. */
export function verdictsOf(view: HostView, wiring: ReadonlyMap<Key, Wiring>, facts: Facts): ReadonlyMap<Key, Verdict> {
  const out = new Map<Key, Verdict>()
  const networks = new Map(view.networks.map((n) => [n.id, { segment: n.segment, missing: missingCarrier(n, view, facts) }]))
  for (const attach of view.attaches) {
    const network = networks.get(domainOf(attach))
    const verdict = !attach.admin_state_up
      ? down('admin_state_up is false')
      : network === undefined
        ? error(`network ${attach.network} is not known on this host`)
        : !network.segment.admin_state_up
          ? down(`admin_state_up of ${attach.network} is false`)
          : (wiring.get(attach.port)?.verdict ?? network.missing)
    if (verdict !== undefined) out.set(attach.port, verdict)
  }
  const fault = missingBridge(view, facts) ?? unusableAddress(view, facts) ?? brokenBridge(view, facts)
  if (fault !== undefined) out.set(makeKey('host', '', view.host), fault)
  return out
}

function down(cause: string): Verdict {
  return { state: 'DOWN', cause }
}

function error(cause: string): Verdict {
  return { state: 'ERROR', cause }
}

function prefixOf(ip: string): number {
  return ip.includes(':') ? 64 : 24
}

/** Why frames of a network cannot leave this host, and what to type. */
function missingCarrier(network: NetworkView, view: HostView, facts: Facts): Verdict | undefined {
  const { segment } = network
  if (segment.network_type === 'local') return undefined
  const missing = isTunnelType(segment.network_type)
    ? missingTunnel(segment.network_type, network, view, facts)
    : missingProvider(segment, view, facts)
  return missing ?? brokenCarrier(network, facts)
}

function missingTunnel(type: TunnelType, network: NetworkView, view: HostView, facts: Facts): Verdict | undefined {
  const own = view.offer?.tunnel_ip
  if (own === undefined)
    return error(`${type} ${network.segment.network} needs tunnels, and host ${view.host} has no tunnel_ip: give it one under hosts`)
  if (!canMake(facts, type)) return error(`this Open vSwitch makes no ${type} interfaces (ovs-vsctl get Open_vSwitch . iface_types)`)
  return unreachablePeer(network, view, own)
}

/**
 * Where this host's tunnels end, told as the host's fault: its ports go on reaching each other. With the userspace datapath the address must sit on a netdev
 * bridge that holds the NIC: on a plain NIC every tunnel packet is lost while OVSDB looks healthy (seen).
 */
function unusableAddress(view: HostView, facts: Facts): Verdict | undefined {
  const own = view.offer?.tunnel_ip
  const types = tunnelTypes(view)
  if (own === undefined || facts.addresses === undefined || types.length === 0) return undefined
  const device = facts.addresses[own]
  if (device === undefined) {
    return error(
      `tunnel_ip ${own} is on no interface of ${view.host} that is up, and ${listed(types)} tunnels carry nothing: ` +
        `ip address add ${own}/${prefixOf(own)} dev <bridge or NIC>, or, on one that has it, ip link set <bridge or NIC> up`,
    )
  }
  if (facts.datapath_type !== 'netdev' || device === 'lo' || facts.bridges.includes(device)) return undefined
  return error(
    `tunnel_ip ${own} is on ${device}, which is no bridge: the userspace datapath loses every tunnel packet there. ` +
      `ovs-vsctl add-br br-und -- set Bridge br-und datapath_type=netdev -- add-port br-und ${device}; then move the address to br-und`,
  )
}

function missingProvider(
  { network_type, network, physical_network = '' }: SegmentIntent,
  view: HostView,
  facts: Facts,
): Verdict | undefined {
  const bridge = view.offer?.bridge_mappings[physical_network]
  if (bridge === undefined) {
    return error(
      `${network_type} ${network} needs physical network ${physical_network}, and host ${view.host} maps no bridge to it: add it to bridge_mappings under hosts`,
    )
  }
  if (!facts.bridges.includes(bridge)) return noBridge(bridge, physical_network, facts)
  return passesNothing(bridge, physical_network, facts)
}

function passesNothing(bridge: string, physical: string, facts: Facts): Verdict | undefined {
  const fault = providerFault(bridge, facts.providers?.[bridge])
  return fault === undefined
    ? undefined
    : { state: fault.state, cause: `bridge ${bridge} of physical network ${physical} ${fault.what}: ${fault.todo}` }
}

/** The port that carries the network exists, and OVS cannot open it. */
function brokenCarrier({ carrier }: NetworkView, facts: Facts): Verdict | undefined {
  if (carrier.by === 'nothing') return undefined
  const name = carrier.by === 'tunnel' ? tunnelPort(carrier.type) : patchPorts(carrier.bridge).int
  const fault = facts.interfaces[name]?.error
  return fault === undefined || fault === '' ? undefined : error(`${name}: ${fault} (ovs-vsctl list Interface ${name})`)
}

function unreachablePeer(network: NetworkView, { host, endpoints }: HostView, own: string): Verdict | undefined {
  for (const { host: at } of network.locations) {
    const ip = at === undefined || at === host ? undefined : endpoints.get(at)
    if (ip !== undefined && !sameFamily(own, ip)) {
      return error(
        `tunnel_ip ${own} of ${host} and ${ip} of ${at} are of different IP versions: give hosts that share a network one version`,
      )
    }
  }
  return undefined
}

/** A mapped bridge that is not there is the host's fault, whether a port needs it yet or not. */
function missingBridge(view: HostView, facts: Facts): Verdict | undefined {
  for (const [physical, bridge] of Object.entries(view.offer?.bridge_mappings ?? {}).sort()) {
    if (!facts.bridges.includes(bridge)) return noBridge(bridge, physical, facts)
  }
  return undefined
}

/** Only of bridges that carry something: on others nothing is lost. */
function brokenBridge({ networks }: HostView, facts: Facts): Verdict | undefined {
  for (const { segment, carrier } of networks) {
    const fault = carrier.by === 'provider' ? passesNothing(carrier.bridge, segment.physical_network ?? '', facts) : undefined
    if (fault !== undefined) return fault
  }
  return undefined
}

function noBridge(bridge: string, physical: string, facts: Facts): Verdict {
  const type = facts.datapath_type === 'netdev' ? ` -- set Bridge ${bridge} datapath_type=netdev` : ''
  return error(`bridge ${bridge} of physical network ${physical} does not exist: ovs-vsctl add-br ${bridge}${type}`)
}
