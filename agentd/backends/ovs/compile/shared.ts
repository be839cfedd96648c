import { type Key, makeKey } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import { PORT } from '../flow/types.ts'
import { type FlowSpec, flowItem, goto, move, output, resubmit, set } from './build.ts'
import { cookieOfSet } from './cookie.ts'
import { ANY_TUNNEL, ORIGIN } from './registers.ts'
import { AFTER_GUARD, AFTER_LEARN, AFTER_RESPONDER, DELIVER } from './stages.ts'
import { ARP, BROADCAST, ICMP6, IP, IPV6, MULTICAST, NA, NS, RA, RARP, RS, UDP, UDP6 } from './words.ts'

type Part = Omit<FlowSpec, 'cookie' | 'owners'>

/** Flows that are the same on every host, whatever its ports are. They exist for the host as such. */
export function sharedItems(host: string): readonly Item[] {
  const owners: readonly Key[] = [makeKey('host', '', host)]
  const cookie = cookieOfSet('pipeline')
  return [...drops(), ...guard(), ...learn(), ...responder(), ...lookup(), ...tunnels()].map((part) =>
    flowItem({ ...part, cookie, owners }),
  )
}

/** OVS drops what matches nothing; written out, the drop has a counter and a place in a trace. */
function drops(): Part[] {
  return (
    ['classify', 'guard_mac', 'guard_type', 'guard_arp', 'guard_nd', 'guard_source', 'flood', 'flood_unknown', 'output'] as const
  ).map((table) => ({
    table,
    priority: 0,
    actions: [],
  }))
}

function guard(): Part[] {
  const part = (priority: number, match: Part['match'], actions: Part['actions']): Part => ({
    table: 'guard_type',
    priority,
    match: match ?? {},
    actions,
  })
  return [
    // A guest is no DHCP server and no router.
    part(100, { ...UDP, udp_src: 67, udp_dst: 68 }, []),
    part(100, { ...UDP6, udp_src: 547, udp_dst: 546 }, []),
    part(100, RA, []),
    // Duplicate address detection carries no link-layer address (RFC 4861, 4.3); its target is looked at next.
    part(90, { ...NS, ipv6_src: '::', nd_sll: '00:00:00:00:00:00' }, [goto('guard_nd')]),
    part(80, { ...NS, ipv6_src: '::' }, []),
    // Without the option there is no link-layer address to lie about. With it, `guard.ts` says which (priority 70).
    part(70, { ...NS, nd_sll: '00:00:00:00:00:00' }, [goto('guard_source')]),
    part(70, { ...NA, nd_tll: '00:00:00:00:00:00' }, [goto('guard_nd')]),
    part(60, NS, []),
    part(60, NA, []),
    // What a host sends before it has an address: router solicitation, MLD (RFC 3590), DHCP discover.
    part(50, { ...RS, ipv6_src: '::' }, [goto(AFTER_GUARD)]),
    ...[131, 132, 143].map((icmpv6_type) => part(50, { ...ICMP6, icmpv6_type, ipv6_src: '::' }, [goto(AFTER_GUARD)])),
    part(50, { ...UDP, ip_src: '0.0.0.0', ip_dst: '255.255.255.255', udp_src: 68, udp_dst: 67 }, [goto(AFTER_GUARD)]),
    part(40, ARP, [goto('guard_arp')]),
    // A hypervisor announces a guest it has taken over with RARP, which changes nobody's neighbour table.
    part(40, RARP, [goto(AFTER_GUARD)]),
    part(40, IP, [goto('guard_source')]),
    part(40, IPV6, [goto('guard_source')]),
  ]
}

function learn(): Part[] {
  return [
    { table: 'learn', priority: 100, match: { eth_src: MULTICAST.eth_dst }, actions: [] },
    { table: 'learn', priority: 0, actions: [goto(AFTER_LEARN)] },
  ]
}

function responder(): Part[] {
  const ask = { ...NS, ...MULTICAST, nw_ttl: 255 }
  const toNd = [goto('respond_nd')]
  return [
    {
      table: 'responder',
      priority: 100,
      registers: { origin: ORIGIN.local },
      match: { ...ARP, eth_dst: BROADCAST, arp_op: 1 },
      actions: [goto('respond_arp')],
    },
    // Duplicate address detection is the owner's to answer, and so is a question that says no link-layer address:
    // an answer is made by turning that option round.
    { table: 'responder', priority: 120, match: { ...ask, ipv6_src: '::' }, actions: toNd },
    { table: 'responder', priority: 110, match: { ...ask, nd_sll: '00:00:00:00:00:00' }, actions: toNd },
    { table: 'responder', priority: 100, registers: { origin: ORIGIN.local }, match: ask, actions: [set('nd_ask', 1), ...toNd] },
    { table: 'responder', priority: 90, match: ask, actions: toNd },
    { table: 'responder', priority: 0, actions: [goto(AFTER_RESPONDER)] },
    { table: 'respond_arp', priority: 0, actions: [goto(AFTER_RESPONDER)] },
    { table: 'respond_nd', priority: 0, actions: [goto(AFTER_RESPONDER)] },
    { table: 'respond_nd_option', priority: 50, match: NA, actions: [move('eth_src', 'nd_tll'), output(PORT.IN_PORT)] },
  ]
}

function lookup(): Part[] {
  return [
    { table: 'l2', priority: 100, match: MULTICAST, actions: [goto('flood')] },
    { table: 'l2', priority: 0, actions: [resubmit('learned'), goto('l2_unknown')] },
    { table: 'l2_unknown', priority: 50, registers: { target: 0 }, actions: [goto('flood_unknown')] },
    { table: 'l2_unknown', priority: 0, actions: [goto(DELIVER)] },
  ]
}

/** Split horizon: what came through a tunnel or from a provider network never leaves the host again. */
function tunnels(): Part[] {
  return [{ table: 'output', priority: 40, registers: { origin: ORIGIN.local, target: ANY_TUNNEL }, actions: [goto('tunnel_key')] }]
}
