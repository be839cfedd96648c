import type { Facts, Foreign } from '../../backend.ts'
import { providerFault } from './provider.ts'
import { type HostView, tunnelTypes } from './view.ts'

/** What is neither ours nor on our bridge, and keeps frames from leaving the host: for the list of drift. `verdict.ts` says it to those who suffer. */
export function outsideOf(view: HostView, facts: Facts): readonly Foreign[] {
  const bridges = new Set(view.networks.flatMap(({ carrier }) => (carrier.by === 'provider' ? [carrier.bridge] : [])))
  return [...lostAddress(view, facts), ...[...bridges].sort().flatMap((bridge) => providerThings(bridge, facts))]
}

function providerThings(bridge: string, { providers = {} }: Facts): Foreign[] {
  const fact = providers[bridge]
  const fault = providerFault(bridge, fact)
  const where = `Bridge ${bridge}`
  if (fault !== undefined) return [{ where, text: `${fault.what}: ${fault.todo}` }]
  return fact?.unread === undefined ? [] : [{ where, text: `${fact.unread}, so nobody sees whether its flows pass frames on` }]
}

function lostAddress(view: HostView, { addresses }: Facts): Foreign[] {
  const own = view.offer?.tunnel_ip
  const types = tunnelTypes(view)
  if (own === undefined || addresses === undefined || types.length === 0 || addresses[own] !== undefined) return []
  return [{ where: `address ${own}`, text: `is on no interface that is up: ${types.join(', ')} tunnels carry nothing` }]
}
