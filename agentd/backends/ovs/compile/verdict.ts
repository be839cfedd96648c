import { listed } from '../../../../src/lib/text.ts'
import { domainOf, hostsOf, type SegmentIntent, type TunnelType } from '../../../../src/model/intent.ts'
import { displayKey, type Key, makeKey } from '../../../../src/model/key.ts'
import type { Facts, Verdict } from '../../backend.ts'
import { type CarrierType, patchPorts, tunnelPort } from './names.ts'
import { providerFault } from './provider.ts'
import type { RouterView } from './routers.ts'
import { canMake, type Mirror, sameFamily, type Tap } from './taps.ts'
import { type HostView, isTunnelType, type NetworkView, tunnelTypes } from './view.ts'
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
  for (const { trunk } of view.trunks) {
    const verdict = wiring.get(trunk)?.verdict
    if (verdict !== undefined) out.set(trunk, verdict)
  }
  tapVerdicts(view, facts, out)
  for (const router of view.routers) {
    const verdict = router.up ? (lostNetwork(router, view, facts) ?? missingResponder(facts)) : down('admin_state_up is false')
    if (verdict !== undefined) out.set(router.router, verdict)
  }
  const fault = missingBridge(view, facts) ?? unusableAddress(view, facts) ?? brokenBridge(view, facts)
  if (fault !== undefined) out.set(makeKey('host', '', view.host), fault)
  return out
}

/** Services whose port is here, flows whose source is, and mirrors: what this host has something to say about. */
export function tapSubjects({ taps: { taps, mirrors } }: HostView): readonly Key[] {
  return [
    ...taps.flatMap(({ service, here, flows }) => [...(here ? [service.tap] : []), ...flows.map((f) => f.flow)]),
    ...mirrors.map((m) => m.intent.mirror),
  ]
}

/** A tap is as well as its port, and as the way of its copies. */
function tapVerdicts(view: HostView, facts: Facts, out: Map<Key, Verdict>): void {
  const say = (subject: Key, port: Key, way: Verdict | undefined): void => {
    const own = out.get(port)
    const verdict = own === undefined ? way : { ...own, cause: `${displayKey(port)}: ${own.cause}` }
    if (verdict !== undefined) out.set(subject, verdict)
  }
  for (const tap of view.taps.taps) {
    if (tap.here) say(tap.service.tap, tap.service.port, missingWay(tap, tap.from, view, facts))
    for (const { flow, port } of tap.flows) say(flow, port, missingWay(tap, tap.to, view, facts))
  }
  for (const mirror of view.taps.mirrors) say(mirror.intent.mirror, mirror.intent.port, missingCollector(mirror, view, facts))
}

/** Why a network, no port of which is here, is not reached from here through a router. Where one is, that port says it. */
function lostNetwork({ legs }: RouterView, view: HostView, facts: Facts): Verdict | undefined {
  const joined = new Set(legs.map((l) => l.network))
  for (const network of view.networks) {
    const { segment, attaches, locations } = network
    if (attaches.length > 0 || !joined.has(segment.network) || !segment.admin_state_up || locations.length === 0) continue
    const name = displayKey(segment.network)
    if (segment.network_type === 'local')
      return error(`${name} is a local network, and its ports are on other hosts: give it another network_type`)
    const missing = missingCarrier(network, view, facts)
    if (missing !== undefined) return { ...missing, cause: `${name} is not reached from here: ${missing.cause}` }
  }
  return undefined
}

/** Packets are forwarded all the same. */
function missingResponder({ responder_fault: fault }: Facts): Verdict | undefined {
  return fault === undefined ? undefined : error(`forwards, but sends no ICMP errors: the responder of this host does not run (${fault})`)
}

/** Why copies do not travel between this host and others. */
function missingWay({ service, ends, carrier }: Tap, others: readonly string[], view: HostView, facts: Facts): Verdict | undefined {
  const [lost] = others.filter((h) => !ends.has(h))
  if (lost === undefined) return carrier === undefined || others.length === 0 ? undefined : brokenTunnel(carrier, facts)
  const type = service.tunnel?.type
  if (type === undefined) return error(`no tunnel between ${view.host} and ${lost} is there for copies: give the site tunnel types`)
  const own = view.offer?.tunnel_ip
  if (own === undefined) return error(`copies travel in tunnels, and host ${view.host} has no tunnel_ip: give it one under hosts`)
  if (!canMake(facts, type)) return cannotMake(type)
  return error(`copies travel in tunnels between ${view.host} and ${lost}, which has no tunnel_ip of the same IP version`)
}

function missingCollector({ intent, carrier, reached }: Mirror, view: HostView, facts: Facts): Verdict | undefined {
  if (reached) return brokenTunnel(carrier, facts)
  const own = view.offer?.tunnel_ip
  if (own === undefined) return error(`copies are sent from the tunnel_ip, and host ${view.host} has none: give it one under hosts`)
  if (!sameFamily(own, intent.remote_ip)) return error(`remote_ip ${intent.remote_ip} and tunnel_ip ${own} are of different IP versions`)
  return cannotMake(carrier)
}

function cannotMake(type: CarrierType): Verdict {
  return error(`this Open vSwitch makes no ${type} interfaces (ovs-vsctl get Open_vSwitch . iface_types)`)
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
  if (!canMake(facts, type)) return cannotMake(type)
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
  return carrier.by === 'tunnel' ? brokenTunnel(carrier.type, facts) : brokenInterface(patchPorts(carrier.bridge).int, facts)
}

function brokenTunnel(type: CarrierType, facts: Facts): Verdict | undefined {
  return brokenInterface(tunnelPort(type), facts)
}

function brokenInterface(name: string, facts: Facts): Verdict | undefined {
  const fault = facts.interfaces[name]?.error
  return fault === undefined || fault === '' ? undefined : error(`${name}: ${fault} (ovs-vsctl list Interface ${name})`)
}

function unreachablePeer(network: NetworkView, { host, endpoints }: HostView, own: string): Verdict | undefined {
  for (const location of network.locations) {
    for (const at of hostsOf(location)) {
      const ip = at === host ? undefined : endpoints.get(at)
      if (ip === undefined || sameFamily(own, ip)) continue
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
