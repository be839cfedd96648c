import { formatIp, parseIp } from '../../../../src/lib/ip.ts'
import { linkLocalAddress, macValue } from '../../../../src/lib/mac.ts'
import type { LocationIntent } from '../../../../src/model/intent.ts'
import type { Item } from '../../backend.ts'
import { PORT } from '../flow/types.ts'
import { type FlowSpec, flowItem, goto, move, output, set, setField } from './build.ts'
import { cookieOf } from './cookie.ts'
import { ORIGIN } from './registers.ts'
import { AFTER_LEARN, AFTER_RESPONDER, DELIVER } from './stages.ts'
import { ARP, NS } from './words.ts'

/** What the flows towards a port depend on besides its intent. */
export interface LocationContext {
  readonly network: number
  /** Where frames for it go from here. */
  readonly target: number
  readonly here: boolean
  /** The network notes senders it does not know; declared addresses are not among them. */
  readonly learning: boolean
}

type Part = Omit<FlowSpec, 'cookie' | 'owners'>

/** Flows for a port of the network, wherever it lives: its MAC, and answers for its addresses. */
export function locationItems(location: LocationIntent, context: LocationContext): readonly Item[] {
  const { network, target } = context
  const parts: Part[] = [
    {
      table: 'l2',
      priority: 50,
      registers: { network },
      match: { eth_dst: location.mac },
      actions: [set('target', target), goto(DELIVER)],
    },
  ]
  if (context.learning) {
    parts.push({ table: 'learn', priority: 50, registers: { network }, match: { eth_src: location.mac }, actions: [goto(AFTER_LEARN)] })
  }
  if (location.admin_state_up) {
    for (const ip of knownAddresses(location))
      parts.push(...(ip.includes(':') ? ndParts(location.mac, ip, context) : arpParts(location.mac, ip, context)))
  }
  const cookie = cookieOf(location.port)
  return parts.map((part) => flowItem({ ...part, cookie, owners: [location.port] }))
}

/** With port security its link-local address is known as well: no other can pass the guard. */
function knownAddresses({ ips, mac, port_security_enabled: guarded }: LocationIntent): readonly string[] {
  const linkLocal = formatIp(6, linkLocalAddress(mac))
  return guarded && !ips.includes(linkLocal) ? [...ips, linkLocal] : ips
}

function arpParts(mac: string, ip: string, { network, target, here }: LocationContext): Part[] {
  const match = { ...ARP, arp_op: 1, arp_tpa: ip }
  const answer: Part = {
    table: 'respond_arp',
    priority: 50,
    registers: { network },
    match,
    actions: [
      move('eth_src', 'eth_dst'),
      setField('eth_src', BigInt(macValue(mac))),
      setField('arp_op', 2n),
      move('arp_sha', 'arp_tha'),
      move('arp_spa', 'arp_tpa'),
      setField('arp_sha', BigInt(macValue(mac))),
      setField('arp_spa', addressValue(ip)),
      output(PORT.IN_PORT),
    ],
  }
  // The owner's own question is how it announces itself and looks for a double: everyone is to hear it.
  const own: Part = { ...answer, priority: 60, registers: { network, sender: target }, actions: [goto(AFTER_RESPONDER)] }
  return here ? [answer, own] : [answer]
}

function ndParts(mac: string, ip: string, { network, target, here }: LocationContext): Part[] {
  const match = { ...NS, nd_target: ip }
  const answer: Part = {
    table: 'respond_nd',
    priority: 50,
    registers: { network, nd_ask: 1 },
    match,
    actions: [
      move('eth_src', 'eth_dst'),
      setField('eth_src', BigInt(macValue(mac))),
      move('ipv6_src', 'ipv6_dst'),
      setField('ipv6_src', addressValue(ip)),
      setField('icmpv6_type', 136n),
      setField('nd_reserved', SOLICITED_OVERRIDE),
      setField('nd_options_type', TARGET_LINK_LAYER),
      goto('respond_nd_option'),
    ],
  }
  // What comes from another host about a port that is not here may be its owner's own question: that is flooded.
  const registers = here ? { network } : { network, origin: ORIGIN.local }
  const toOwner: Part = { ...answer, priority: 40, registers, actions: [set('target', target), goto(DELIVER)] }
  const own: Part = { ...answer, priority: 60, registers: { network, sender: target }, actions: [goto(AFTER_RESPONDER)] }
  return here ? [answer, own, toOwner] : [answer, toOwner]
}

/** Flags S and O of a neighbour advertisement (RFC 4861, 4.4). */
const SOLICITED_OVERRIDE = 0x6000_0000n
/** Option type of the target's link-layer address (RFC 4861, 4.6.1). */
const TARGET_LINK_LAYER = 2n

function addressValue(ip: string): bigint {
  const parsed = parseIp(ip)
  if (parsed === undefined) throw new Error(`an intent holds "${ip}", which is no address`)
  return parsed.value
}
