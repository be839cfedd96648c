import { hostsOf, type LocationIntent } from '../../../../src/model/intent.ts'
import type { Facts } from '../../backend.ts'
import { patchPorts, tunnelPort } from './names.ts'
import type { Numbers } from './numbers.ts'
import { target } from './registers.ts'
import type { Peer } from './segment.ts'
import type { NetworkView } from './view.ts'
import { carrierOfport } from './wiring.ts'

/** A network with the numbers it has on this host. */
export interface NetworkContext {
  readonly view: NetworkView
  readonly number: number
  /** By host; empty unless the network travels in tunnels. */
  readonly peers: ReadonlyMap<string, Peer>
  /** From whom frames of it come: its peers, and who routes into it. Nobody where no port of it is here. */
  readonly senders: readonly Peer[]
  /** Our end of the patch to the provider bridge. */
  readonly provider?: { readonly ofport: number; readonly vlan?: number }
  /** Some of its addresses may be nobody's: they are learned, and unicast to them is flooded where they can be. */
  readonly learning: boolean
}

export function networkContext(view: NetworkView, facts: Facts, numbers: Numbers): NetworkContext {
  const { carrier, locations } = view
  const peers = new Map<string, Peer>()
  const senders: Peer[] = []
  let provider: NetworkContext['provider']
  if (carrier.by === 'tunnel') {
    const { type, key } = carrier
    const ofport = carrierOfport(tunnelPort(type), facts, numbers)
    const peer = (host: string, ip: string, by: number): Peer => ({ host, type, key, ip, number: numbers.of('peer', host), ofport: by })
    if (ofport !== undefined) {
      for (const [host, ip] of carrier.peers) peers.set(host, peer(host, ip, ofport))
      if (view.attaches.length > 0) for (const [host, ip] of carrier.senders) senders.push(peers.get(host) ?? peer(host, ip, ofport))
    }
  }
  if (carrier.by === 'provider') {
    const ofport = carrierOfport(patchPorts(carrier.bridge).int, facts, numbers)
    if (ofport !== undefined) provider = { ofport, ...(carrier.vlan === undefined ? {} : { vlan: carrier.vlan }) }
  }
  const learning =
    provider !== undefined || locations.some((l) => l.admin_state_up && (!l.port_security_enabled || l.other_macs !== undefined))
  return { view, number: numbers.of('network', view.id), peers, senders, learning, ...(provider === undefined ? {} : { provider }) }
}

/** Where frames for a port go from here, this host first; none when they cannot get there. Two while it moves to another host. `self` is this host. */
export function targetsOf(
  location: LocationIntent,
  { peers, provider }: NetworkContext,
  self: string,
  localNumber: number | undefined,
): readonly number[] {
  const local: number[] = []
  const others = new Set<number>()
  for (const host of hostsOf(location)) {
    const peer = peers.get(host)
    if (host === self) local.push(...(localNumber === undefined ? [] : [target('port', localNumber)]))
    else if (peer !== undefined) others.add(target(peer.type, peer.number))
    else if (provider !== undefined) others.add(target('provider', 0))
  }
  return [...local, ...others]
}
