import type { LocationIntent } from '../../../../src/model/intent.ts'
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
  /** Our end of the patch to the provider bridge. */
  readonly provider?: { readonly ofport: number; readonly vlan?: number }
  /** Some of its addresses may be nobody's: they are learned, and unicast to them is flooded where they can be. */
  readonly learning: boolean
}

export function networkContext(view: NetworkView, facts: Facts, numbers: Numbers): NetworkContext {
  const { carrier, locations } = view
  const peers = new Map<string, Peer>()
  let provider: NetworkContext['provider']
  if (carrier.by === 'tunnel') {
    const { type, key } = carrier
    const ofport = carrierOfport(tunnelPort(type), facts, numbers)
    if (ofport !== undefined)
      for (const [host, ip] of carrier.peers) peers.set(host, { host, type, key, ip, number: numbers.of('peer', host), ofport })
  }
  if (carrier.by === 'provider') {
    const ofport = carrierOfport(patchPorts(carrier.bridge).int, facts, numbers)
    if (ofport !== undefined) provider = { ofport, ...(carrier.vlan === undefined ? {} : { vlan: carrier.vlan }) }
  }
  const learning =
    provider !== undefined || locations.some((l) => l.admin_state_up && (!l.port_security_enabled || l.other_macs !== undefined))
  return { view, number: numbers.of('network', view.id), peers, learning, ...(provider === undefined ? {} : { provider }) }
}

/** Where frames for a port go from here; undefined when they cannot get there. `self` is this host. */
export function targetOf(
  location: LocationIntent,
  { peers, provider }: NetworkContext,
  self: string,
  localNumber: number | undefined,
): number | undefined {
  if (location.host === undefined) return undefined
  if (location.host === self) return localNumber === undefined ? undefined : target('port', localNumber)
  const peer = peers.get(location.host)
  if (peer !== undefined) return target(peer.type, peer.number)
  return provider === undefined ? undefined : target('provider', 0)
}
