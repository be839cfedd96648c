import { formatIp } from '../../../../src/lib/ip.ts'
import { type FieldName, fieldOf, fullMask } from './fields.ts'
import { CT_STATE, formatFlags, formatSignedFlags, TCP_FLAGS } from './flags.ts'
import type { FieldValue, Match } from './types.ts'
import { formatIp6, formatMacValue, formatPort, hex, hexAlt, prefixOf } from './values.ts'

/** The text of a match, in the order and the words of `ovs-ofctl dump-flows`. */

const ETH = { ip: 0x800n, arp: 0x806n, rarp: 0x8035n, ipv6: 0x86ddn, mpls: 0x8847n, mplsm: 0x8848n } as const
const PROTO: Readonly<Record<string, string>> = { '1': 'icmp', '6': 'tcp', '17': 'udp', '132': 'sctp' }
const PROTO6: Readonly<Record<string, string>> = { '58': 'icmp6', '6': 'tcp6', '17': 'udp6', '132': 'sctp6' }
const TYPE_NAMES: ReadonlyMap<bigint, string> = new Map(Object.entries(ETH).map(([name, type]) => [type, name]))

/** The place where `ip`, `tcp` and the like stand: before the registers. */
const KEYWORD_AFTER = fieldOf('ct_tp_dst').index

/** Fields of a match in the order of printing. */
export function sortedFields(match: Match): FieldName[] {
  return (Object.keys(match) as FieldName[]).sort((a, b) => fieldOf(a).index - fieldOf(b).index)
}

/** Empty for a match of everything. */
export function formatMatch(match: Match): string {
  const type = match.eth_type?.value
  const proto = match.ip_proto?.value
  const { keyword, skipProto } = keywordOf(type, proto)
  const parts: string[] = []
  let keywordDue = keyword !== undefined
  for (const name of sortedFields(match)) {
    if (keywordDue && fieldOf(name).index > KEYWORD_AFTER) {
      parts.push(keyword ?? '')
      keywordDue = false
    }
    if ((name === 'eth_type' && keyword !== undefined) || (name === 'ip_proto' && skipProto)) continue
    const value = match[name]
    if (value !== undefined) parts.push(formatField(name, value))
  }
  if (keywordDue) parts.push(keyword ?? '')
  return parts.join(',')
}

function keywordOf(type: bigint | undefined, proto: bigint | undefined): { keyword: string | undefined; skipProto: boolean } {
  if (type === undefined) return { keyword: undefined, skipProto: false }
  const table = type === ETH.ip ? PROTO : type === ETH.ipv6 ? PROTO6 : undefined
  const byProto = proto === undefined ? undefined : table?.[String(proto)]
  return byProto === undefined ? { keyword: TYPE_NAMES.get(type), skipProto: false } : { keyword: byProto, skipProto: true }
}

/** Names under which dump-flows prints fields, where they differ from the field's own. */
const KEYS: Readonly<Partial<Record<FieldName, string>>> = {
  eth_src: 'dl_src',
  eth_dst: 'dl_dst',
  eth_type: 'dl_type',
  ip_src: 'nw_src',
  ip_dst: 'nw_dst',
  ip_proto: 'nw_proto',
  ip_ecn: 'nw_ecn',
  ip_frag: 'nw_frag',
  tcp_src: 'tp_src',
  tcp_dst: 'tp_dst',
  udp_src: 'tp_src',
  udp_dst: 'tp_dst',
  sctp_src: 'tp_src',
  sctp_dst: 'tp_dst',
  icmpv6_type: 'icmp_type',
  icmpv6_code: 'icmp_code',
}

const CFI = 0x1000n
const VID = 0xfffn
const PCP = 0xe000n

function formatField(name: FieldName, v: FieldValue): string {
  if (name === 'vlan_tci') return formatTci(v.value, v.mask ?? 0xffffn)
  const key = KEYS[name] ?? name
  switch (name) {
    case 'ct_zone':
      return `${key}=${v.value}`
    case 'ct_label':
      return v.mask === undefined ? `${key}=${hexAlt(v.value)}` : `${key}=${hexAlt(v.value)}/${hexAlt(v.mask)}`
    case 'eth_type':
      return `${key}=${hex4(v.value)}`
    case 'ipv6_label':
      return v.mask === undefined ? `${key}=${hex5(v.value)}` : `${key}=${hex5(v.value)}/${hex5(v.mask)}`
    case 'nd_reserved':
      return `${key}=${v.value}`
    default:
      return `${key}=${formatMatchValue(name, v)}`
  }
}

/** `%#x` for numbers in hex, `0x%x/0x%x` for masked decimals. */
function formatMatchValue(name: FieldName, v: FieldValue): string {
  const field = fieldOf(name)
  if (field.style === 'hex') return v.mask === undefined ? hexAlt(v.value) : `${hexAlt(v.value)}/${hexAlt(v.mask)}`
  return formatValue(name, v)
}

/** As `set_field` and `learn` print values. */
export function formatValue(name: FieldName, { value, mask }: FieldValue): string {
  const field = fieldOf(name)
  switch (field.style) {
    case 'hex':
      return mask === undefined ? hexAlt(value) : `${hexAlt(value)}/${hexAlt(mask)}`
    case 'dec':
      return mask === undefined ? String(value) : `${hex(value)}/${hex(mask)}`
    case 'port':
      return formatPort(Number(field.bits === 32 ? value & 0xffffn : value))
    case 'mac':
      return formatMacValue(value) + (mask === undefined ? '' : `/${formatMacValue(mask)}`)
    case 'ip4':
      return formatIp(4, value) + formatMask(mask, 32, (m) => formatIp(4, m))
    case 'ip6':
      return formatIp6(value) + formatMask(mask, 128, formatIp6)
    case 'ct_state':
      return formatFlagField(CT_STATE, value, mask, fullMask(field))
    case 'tcp_flags':
      return formatFlagField(TCP_FLAGS, value, mask, fullMask(field))
    case 'frag':
      return formatFrag(value, mask)
  }
}

function formatMask(mask: bigint | undefined, bits: number, whole: (mask: bigint) => string): string {
  if (mask === undefined) return ''
  return `/${prefixOf(mask, bits) ?? whole(mask)}`
}

function formatFlagField(names: readonly (string | undefined)[], value: bigint, mask: bigint | undefined, full: bigint): string {
  return mask === undefined || mask === full ? formatFlags(names, value) : formatSignedFlags(names, value, mask)
}

/** Bit 0: a fragment; bit 1: not the first. */
const FRAG: Readonly<Record<string, string>> = {
  '0/3': 'no',
  '1/3': 'first',
  '3/3': 'later',
  '0/1': 'no',
  '1/1': 'yes',
  '2/2': 'later',
  '0/2': 'not_later',
}

function formatFrag(value: bigint, mask: bigint | undefined): string {
  return FRAG[`${value}/${mask ?? 3n}`] ?? '<error>'
}

function hex4(value: bigint): string {
  return `0x${value.toString(16).padStart(4, '0')}`
}

function hex5(value: bigint): string {
  return `0x${value.toString(16).padStart(5, '0')}`
}

/** `dl_vlan` and `dl_vlan_pcp` where the tag must be there and whole parts of it count, else `vlan_tci`. */
function formatTci(value: bigint, mask: bigint): string {
  const vid = mask & VID
  const pcp = mask & PCP
  const present = (mask & CFI) !== 0n && (value & CFI) !== 0n
  if (present && (vid === 0n || vid === VID) && (pcp === 0n || pcp === PCP) && (vid !== 0n || pcp !== 0n)) {
    const parts: string[] = []
    if (vid !== 0n) parts.push(`dl_vlan=${value & VID}`)
    if (pcp !== 0n) parts.push(`dl_vlan_pcp=${(value & PCP) >> 13n}`)
    return parts.join(',')
  }
  return mask === 0xffffn ? `vlan_tci=${hex4(value)}` : `vlan_tci=${hex4(value)}/${hex4(mask)}`
}
