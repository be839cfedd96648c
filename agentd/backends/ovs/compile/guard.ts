import { formatIp } from '../../../../src/lib/ip.ts'
import { linkLocalAddress } from '../../../../src/lib/mac.ts'
import type { AttachIntent } from '../../../../src/model/intent.ts'
import { compareText } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import { type FlowSpec, flowItem, goto } from './build.ts'
import { cookieOf } from './cookie.ts'
import { AFTER_GUARD } from './stages.ts'
import { ARP, IP, IPV6, NA, NS } from './words.ts'

/**
 * What a port with port security may send (Neutron's OVS firewall, table 71). The parts that are the same for every port stand in `shared.ts`;
 * here are those that name its MACs and addresses.
 */
export function guardItems(attach: AttachIntent, sender: number): readonly Item[] {
  const cookie = cookieOf(attach.port)
  const flows: Omit<FlowSpec, 'cookie' | 'owners' | 'registers'>[] = []
  for (const [mac, prefixes] of allowedByMac(attach)) {
    flows.push(
      { table: 'guard_mac', priority: 50, match: { eth_src: mac }, actions: [goto('guard_type')] },
      { table: 'guard_type', priority: 70, match: { ...NS, eth_src: mac, nd_sll: mac }, actions: [goto('guard_source')] },
      { table: 'guard_type', priority: 70, match: { ...NA, eth_src: mac, nd_tll: mac }, actions: [goto('guard_nd')] },
      {
        table: 'guard_arp',
        priority: 60,
        match: { ...ARP, arp_op: 1, eth_src: mac, arp_sha: mac, arp_spa: '0.0.0.0' },
        actions: [goto(AFTER_GUARD)],
      },
    )
    for (const prefix of prefixes) flows.push(...addressFlows(mac, prefix))
  }
  return flows.map((flow) => flowItem({ ...flow, cookie, owners: [attach.port], registers: { sender } }))
}

function addressFlows(mac: string, prefix: string): Omit<FlowSpec, 'cookie' | 'owners' | 'registers'>[] {
  if (!prefix.includes(':')) {
    return [
      { table: 'guard_arp', priority: 50, match: { ...ARP, eth_src: mac, arp_sha: mac, arp_spa: prefix }, actions: [goto(AFTER_GUARD)] },
      { table: 'guard_source', priority: 50, match: { ...IP, eth_src: mac, ip_src: prefix }, actions: [goto(AFTER_GUARD)] },
    ]
  }
  return [
    { table: 'guard_nd', priority: 60, match: { ...NS, eth_src: mac, ipv6_src: '::', nd_target: prefix }, actions: [goto(AFTER_GUARD)] },
    { table: 'guard_nd', priority: 50, match: { ...NA, eth_src: mac, nd_target: prefix }, actions: [goto('guard_source')] },
    { table: 'guard_source', priority: 50, match: { ...IPV6, eth_src: mac, ipv6_src: prefix }, actions: [goto(AFTER_GUARD)] },
  ]
}

/** Source prefixes by MAC, sorted; the port's own MAC is always there, and every MAC may use its IPv6 link-local address. */
function allowedByMac(attach: AttachIntent): readonly (readonly [string, readonly string[]])[] {
  const out = new Map<string, Set<string>>()
  for (const { mac, prefix } of [{ mac: attach.mac, prefix: undefined }, ...attach.allowed]) {
    const known = out.get(mac) ?? new Set([`${formatIp(6, linkLocalAddress(mac))}/128`])
    if (prefix !== undefined) known.add(prefix)
    out.set(mac, known)
  }
  return [...out].sort(([a], [b]) => compareText(a, b)).map(([mac, prefixes]) => [mac, [...prefixes].sort(compareText)] as const)
}
