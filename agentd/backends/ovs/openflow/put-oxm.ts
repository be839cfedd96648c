import { FIELDS, type Field, type FieldHeader, type FieldName, fieldOf } from '../flow/fields.ts'
import type { FieldValue, Match, Subfield } from '../flow/types.ts'
import type { ByteWriter } from './bytes.ts'
import { portToWire } from './constants.ts'
import { OpenFlowError } from './error.ts'

/** Matches in OXM, OVS's NXM fields among them: OpenFlow 1.4, 7.2.3, and ovs-fields(7). */

/** OVS checks prerequisites in the order of the bytes, so types come before what depends on them; the order is that of OVS itself. */
const ORDER: readonly FieldName[] = [
  'conj_id',
  'in_port',
  'eth_src',
  'eth_dst',
  'eth_type',
  'vlan_tci',
  'ip_src',
  'ip_dst',
  'ipv6_src',
  'ipv6_dst',
  'ip_frag',
  'nw_tos',
  'ip_ecn',
  'nw_ttl',
  'ipv6_label',
  'ip_proto',
  'tcp_src',
  'tcp_dst',
  'tcp_flags',
  'udp_src',
  'udp_dst',
  'sctp_src',
  'sctp_dst',
  'icmp_type',
  'icmp_code',
  'icmpv6_type',
  'icmpv6_code',
  'nd_reserved',
  'nd_target',
  'nd_options_type',
  'nd_sll',
  'nd_tll',
  'arp_op',
  'arp_spa',
  'arp_tpa',
  'arp_sha',
  'arp_tha',
  'tun_id',
  'tun_src',
  'tun_dst',
  'tun_ipv6_src',
  'tun_ipv6_dst',
  'reg0',
  'reg1',
  'reg2',
  'reg3',
  'reg4',
  'reg5',
  'reg6',
  'reg7',
  'reg8',
  'reg9',
  'reg10',
  'reg11',
  'reg12',
  'reg13',
  'reg14',
  'reg15',
  'pkt_mark',
  'ct_state',
  'ct_zone',
  'ct_mark',
  'ct_label',
  'ct_nw_src',
  'ct_ipv6_src',
  'ct_nw_dst',
  'ct_ipv6_dst',
  'ct_nw_proto',
  'ct_tp_src',
  'ct_tp_dst',
  'metadata',
]

const RANK: ReadonlyMap<FieldName, number> = new Map(ORDER.map((name, i) => [name, i]))

/** The 32 bits before a field's value; `length` counts everything after them. */
export function oxmHeader(header: FieldHeader, length: number, masked: boolean): number {
  return header.class * 0x10000 + header.number * 0x200 + (masked ? 0x100 : 0) + length
}

function putEntry(w: ByteWriter, header: FieldHeader, bytes: number, value: bigint, mask: bigint | undefined): void {
  const own = header.experimenter === undefined ? 0 : 4
  w.u32(oxmHeader(header, own + (mask === undefined ? bytes : 2 * bytes), mask !== undefined))
  if (header.experimenter !== undefined) w.u32(header.experimenter)
  w.big(value, bytes)
  if (mask !== undefined) w.big(mask, bytes)
}

/** A field with its value, as `set_field` carries it. */
export function putField(w: ByteWriter, field: Field, value: bigint): void {
  putEntry(w, field.wire, field.bytes, value, undefined)
}

const IN_PORT = fieldOf('in_port_oxm')
const VLAN_VID = fieldOf('vlan_vid')
const VLAN_PCP = fieldOf('vlan_pcp')
const DSCP = fieldOf('ip_dscp')

function putMatchField(w: ByteWriter, name: FieldName, v: FieldValue): void {
  switch (name) {
    case 'in_port':
      putEntry(w, IN_PORT.wire, 4, BigInt(portToWire(Number(v.value))), undefined)
      return
    case 'vlan_tci':
      putTci(w, v.value, v.mask ?? 0xffffn)
      return
    case 'nw_tos':
      putEntry(w, DSCP.wire, 1, v.value >> 2n, undefined)
      return
    case 'ct_state':
      putEntry(w, fieldOf(name).wire, 4, v.value, v.mask ?? 0xffn)
      return
    default: {
      const field = fieldOf(name)
      putEntry(w, field.wire, field.bytes, v.value, v.mask)
    }
  }
}

/** OpenFlow 1.2+ has the tag in two fields; the "present" bit goes with the VID. */
function putTci(w: ByteWriter, value: bigint, mask: bigint): void {
  const vidMask = mask & 0x1fffn
  if (vidMask !== 0n) putEntry(w, VLAN_VID.wire, 2, value & 0x1fffn, vidMask === 0x1fffn ? undefined : vidMask)
  if ((value & 0x1fffn) !== 0n && (mask & 0xe000n) !== 0n) putEntry(w, VLAN_PCP.wire, 1, value >> 13n, undefined)
}

/** An ofp_match: type, length, fields, padding. */
export function putMatch(w: ByteWriter, match: Match): void {
  const start = w.at
  w.u16(1)
  w.u16(0)
  const names = Object.keys(match) as FieldName[]
  if (names.length > 1) names.sort((a, b) => rank(a) - rank(b))
  for (const name of names) {
    const value = match[name]
    if (value !== undefined) putMatchField(w, name, value)
  }
  w.set16(start + 2, w.at - start)
  w.pad8(start)
}

function rank(name: FieldName): number {
  const place = RANK.get(name)
  if (place === undefined) throw new OpenFlowError('encode', `${name} cannot be matched as such; makeMatch turns it into what can`)
  return place
}

/** A field name as actions carry it: 32 bits. */
export function subfieldHeader(subfield: Subfield): number {
  const field = fieldOf(subfield.field)
  if (field.subfield.experimenter !== undefined) throw new OpenFlowError('encode', `${field.name} can be set as a whole only`)
  return HEADERS[field.index] ?? 0
}

const HEADERS: readonly number[] = FIELDS.map((f) => oxmHeader(f.subfield, f.bytes, false))
