import { linkLocalAddress } from '../../../../src/lib/mac.ts'
import type { LocationIntent } from '../../../../src/model/intent.ts'
import type { Item } from '../../backend.ts'
import type { Action, Match } from '../flow/types.ts'
import { flowItem, goto, resubmit, set, setWide } from './build.ts'
import { cookieOf } from './cookie.ts'
import { AFTER_LEARN, DELIVER } from './stages.ts'
import type { TableName } from './tables.ts'
import { ARP_REQUEST, addressMatch, macMatch, NS } from './words.ts'

/** What the flows towards a port depend on besides its intent. */
export interface LocationContext {
  readonly network: number
  /** Where frames for it go from here; two while it moves from one host to another. What the first one changes in a frame, no other one sees. */
  readonly targets: readonly number[]
  /** The network notes senders it does not know; declared addresses are not among them. */
  readonly learning: boolean
}

/** Flows for a port of the network, wherever it lives: its MAC, and who to name when its addresses are asked for. */
export function locationItems(location: LocationIntent, context: LocationContext): readonly Item[] {
  const registers = { network: context.network }
  const owners = [location.port]
  const cookie = cookieOf(location.port)
  const mac = macMatch(location.mac)
  const [first = 0, ...more] = context.targets
  const toTarget = set('target', first)
  const part = (table: TableName, match: Match, actions: readonly Action[]): Item =>
    flowItem({ table, priority: 50, cookie, owners, registers, match, actions })

  const copies = more.flatMap((next) => [resubmit(DELIVER), set('target', next)])
  const out = [part('l2', { eth_dst: mac }, [toTarget, ...copies, goto(DELIVER)])]
  if (context.learning) out.push(part('learn', { eth_src: mac }, [goto(AFTER_LEARN)]))
  if (!location.admin_state_up) return out
  const name: readonly Action[] = [toTarget, setWide('owner_mac', mac.value), goto('respond')]
  for (const ip of location.ips) {
    const address = addressMatch(ip)
    out.push(
      address.family === 4
        ? part('respond_arp', { ...ARP_REQUEST, arp_tpa: address.field }, name)
        : part('respond_nd', { ...NS, nd_target: address.field }, name),
    )
  }
  // With port security its link-local address is known as well: no other can pass the guard.
  if (location.port_security_enabled) out.push(part('respond_nd', { ...NS, nd_target: { value: linkLocalAddress(location.mac) } }, name))
  return out
}
