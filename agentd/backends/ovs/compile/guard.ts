import { linkLocalAddress } from '../../../../src/lib/mac.ts'
import type { AttachIntent } from '../../../../src/model/intent.ts'
import { compareText } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import type { Action, FieldValue, Match } from '../flow/types.ts'
import { flowItem, goto } from './build.ts'
import { cookieOf } from './cookie.ts'
import { AFTER_GUARD } from './stages.ts'
import type { TableName } from './tables.ts'
import { ARP, ARP_REQUEST, IP, IPV6, macMatch, NA, NS, prefixMatch } from './words.ts'

/** One flow of a guard: who sends is added by `guardItems`. */
type Part = readonly [table: TableName, priority: number, match: Match, next: Action]

/**
 * What a port with port security may send (Neutron's OVS firewall, table 71). The parts that are the same for every port stand in `shared.ts`;
 * here are those that name its MACs and addresses.
 */
export function guardItems(attach: AttachIntent, sender: number): readonly Item[] {
  const cookie = cookieOf(attach.port)
  const owners = [attach.port]
  const registers = { sender }
  return [...allowedByMac(attach)]
    .flatMap(([mac, prefixes]) => macParts(mac, prefixes))
    .map(([table, priority, match, next]) => flowItem({ table, priority, cookie, owners, registers, match, actions: [next] }))
}

function macParts(text: string, prefixes: readonly string[]): Part[] {
  const mac = macMatch(text)
  const from = { eth_src: mac }
  const out: Part[] = [
    ['guard_mac', 50, from, goto('guard_type')],
    ['guard_type', 70, { ...NS, ...from, nd_sll: mac }, goto('guard_source')],
    ['guard_type', 70, { ...NA, ...from, nd_tll: mac }, goto('guard_nd')],
    // An address probe (RFC 5227) claims nothing.
    ['guard_arp', 60, { ...ARP_REQUEST, ...from, arp_sha: mac, arp_spa: { value: 0n } }, goto(AFTER_GUARD)],
    ...parts6(from, { value: linkLocalAddress(text) }),
  ]
  for (const prefix of prefixes) {
    const { family, field } = prefixMatch(prefix)
    out.push(...(family === 4 ? parts4(from, mac, field) : parts6(from, field)))
  }
  return out
}

function parts4(from: Match, mac: FieldValue, address: FieldValue | undefined): Part[] {
  return [
    ['guard_arp', 50, { ...ARP, ...from, arp_sha: mac, ...only('arp_spa', address) }, goto(AFTER_GUARD)],
    ['guard_source', 50, { ...IP, ...from, ...only('ip_src', address) }, goto(AFTER_GUARD)],
  ]
}

function parts6(from: Match, address: FieldValue | undefined): Part[] {
  return [
    ['guard_nd', 60, { ...NS, ...from, ipv6_src: { value: 0n }, ...only('nd_target', address) }, goto(AFTER_GUARD)],
    ['guard_nd', 50, { ...NA, ...from, ...only('nd_target', address) }, goto('guard_source')],
    ['guard_source', 50, { ...IPV6, ...from, ...only('ipv6_src', address) }, goto(AFTER_GUARD)],
  ]
}

/** Any address: no condition. */
function only(field: 'arp_spa' | 'ip_src' | 'ipv6_src' | 'nd_target', value: FieldValue | undefined): Match {
  return value === undefined ? {} : { [field]: value }
}

/** Source prefixes by MAC, sorted; the port's own MAC is always there. Every MAC may use its IPv6 link-local address besides. */
function allowedByMac(attach: AttachIntent): ReadonlyMap<string, readonly string[]> {
  const out = new Map<string, string[]>([[attach.mac, []]])
  for (const { mac, prefix } of attach.allowed) {
    const known = out.get(mac)
    if (known === undefined) out.set(mac, [prefix])
    else if (!known.includes(prefix)) known.push(prefix)
  }
  return new Map([...out].sort(([a], [b]) => compareText(a, b)))
}
