import type { FieldName, Reg } from './field-names.ts'

export type { FieldName } from './field-names.ts'

/**
 * The fields that flows match, set and copy: names, widths, how their values are written, and their numbers in NXM and OXM headers.
 * Source: ovs-fields(7) and the OpenFlow 1.4 specification. A field that is not here is an error wherever it turns up, never skipped.
 */

export type FieldStyle = 'dec' | 'hex' | 'port' | 'mac' | 'ip4' | 'ip6' | 'ct_state' | 'tcp_flags' | 'frag'

/** Header of a field on the wire: class (0x0000/0x0001 NXM, 0x8000 OXM, 0x1000 Ericsson's, 0xffff experimenter) and number. */
export interface FieldHeader {
  readonly name: string
  readonly class: number
  readonly number: number
  readonly experimenter?: number
}

export interface Field {
  readonly name: FieldName
  /** What `set_field` and `learn` print. */
  readonly label: string
  readonly bits: number
  /** Bytes on the wire and in masks. */
  readonly bytes: number
  readonly style: FieldStyle
  readonly maskable: boolean
  /** How subfields name it (`NXM_NX_REG0[]`): NXM where there is one, else OXM. */
  readonly subfield: FieldHeader
  /** How a match or `set_field` carries it on OpenFlow 1.4. */
  readonly wire: FieldHeader
  /** Place in this table. */
  readonly index: number
}

type Row = readonly [
  name: FieldName,
  bits: number,
  style: FieldStyle,
  mask: 'm' | '-',
  nxm: string | null,
  oxm: string | null,
  label?: string,
]

const registers = (count: number, row: (n: number) => Row): Row[] => Array.from({ length: count }, (_, n) => row(n))
const reg = (n: number): Row => [`reg${n as Reg}`, 32, 'hex', 'm', `NXM_NX_REG${n} 1:${n}`, null]
const xreg = (n: number): Row => [`xreg${n as 0}`, 64, 'hex', 'm', null, `OXM_OF_PKT_REG${n} 32769:${n}`]
const xxreg = (n: number): Row => [`xxreg${n as 0}`, 128, 'hex', 'm', `NXM_NX_XXREG${n} 1:${111 + n}`, null]

// Each row: name, bits, style, maskable, NXM header `NAME class:number`, OXM header, label where it differs from the name.
const ROWS: readonly Row[] = [
  ['pkt_mark', 32, 'hex', 'm', 'NXM_NX_PKT_MARK 1:33', null],
  ['conj_id', 32, 'dec', '-', 'NXM_NX_CONJ_ID 1:37', null],
  ['ct_state', 32, 'ct_state', 'm', 'NXM_NX_CT_STATE 1:105', null],
  ['ct_zone', 16, 'hex', '-', 'NXM_NX_CT_ZONE 1:106', null],
  ['ct_mark', 32, 'hex', 'm', 'NXM_NX_CT_MARK 1:107', null],
  ['ct_label', 128, 'hex', 'm', 'NXM_NX_CT_LABEL 1:108', null],
  ['ct_nw_src', 32, 'ip4', 'm', 'NXM_NX_CT_NW_SRC 1:120', null],
  ['ct_ipv6_src', 128, 'ip6', 'm', 'NXM_NX_CT_IPV6_SRC 1:122', null],
  ['ct_nw_dst', 32, 'ip4', 'm', 'NXM_NX_CT_NW_DST 1:121', null],
  ['ct_ipv6_dst', 128, 'ip6', 'm', 'NXM_NX_CT_IPV6_DST 1:123', null],
  ['ct_nw_proto', 8, 'dec', '-', 'NXM_NX_CT_NW_PROTO 1:119', null],
  ['ct_tp_src', 16, 'dec', 'm', 'NXM_NX_CT_TP_SRC 1:124', null],
  ['ct_tp_dst', 16, 'dec', 'm', 'NXM_NX_CT_TP_DST 1:125', null],
  ...registers(16, reg),
  ...registers(8, xreg),
  ...registers(4, xxreg),
  ['tun_id', 64, 'hex', 'm', 'NXM_NX_TUN_ID 1:16', 'OXM_OF_TUNNEL_ID 32768:38'],
  ['tun_src', 32, 'ip4', 'm', 'NXM_NX_TUN_IPV4_SRC 1:31', null],
  ['tun_dst', 32, 'ip4', 'm', 'NXM_NX_TUN_IPV4_DST 1:32', null],
  ['tun_ipv6_src', 128, 'ip6', 'm', 'NXM_NX_TUN_IPV6_SRC 1:109', null],
  ['tun_ipv6_dst', 128, 'ip6', 'm', 'NXM_NX_TUN_IPV6_DST 1:110', null],
  ['metadata', 64, 'hex', 'm', null, 'OXM_OF_METADATA 32768:2'],
  ['in_port', 16, 'port', '-', 'NXM_OF_IN_PORT 0:0', null],
  ['in_port_oxm', 32, 'port', '-', null, 'OXM_OF_IN_PORT 32768:0'],
  ['vlan_tci', 16, 'hex', 'm', 'NXM_OF_VLAN_TCI 0:4', null],
  ['vlan_vid', 12, 'dec', 'm', null, 'OXM_OF_VLAN_VID 32768:6'],
  ['vlan_pcp', 3, 'dec', '-', null, 'OXM_OF_VLAN_PCP 32768:7'],
  ['eth_src', 48, 'mac', 'm', 'NXM_OF_ETH_SRC 0:2', 'OXM_OF_ETH_SRC 32768:4'],
  ['eth_dst', 48, 'mac', 'm', 'NXM_OF_ETH_DST 0:1', 'OXM_OF_ETH_DST 32768:3'],
  ['eth_type', 16, 'hex', '-', 'NXM_OF_ETH_TYPE 0:3', 'OXM_OF_ETH_TYPE 32768:5'],
  ['ip_src', 32, 'ip4', 'm', 'NXM_OF_IP_SRC 0:7', 'OXM_OF_IPV4_SRC 32768:11'],
  ['ip_dst', 32, 'ip4', 'm', 'NXM_OF_IP_DST 0:8', 'OXM_OF_IPV4_DST 32768:12'],
  ['ipv6_src', 128, 'ip6', 'm', 'NXM_NX_IPV6_SRC 1:19', 'OXM_OF_IPV6_SRC 32768:26'],
  ['ipv6_dst', 128, 'ip6', 'm', 'NXM_NX_IPV6_DST 1:20', 'OXM_OF_IPV6_DST 32768:27'],
  ['ipv6_label', 20, 'hex', 'm', 'NXM_NX_IPV6_LABEL 1:27', 'OXM_OF_IPV6_FLABEL 32768:28'],
  ['arp_spa', 32, 'ip4', 'm', 'NXM_OF_ARP_SPA 0:16', 'OXM_OF_ARP_SPA 32768:22'],
  ['arp_tpa', 32, 'ip4', 'm', 'NXM_OF_ARP_TPA 0:17', 'OXM_OF_ARP_TPA 32768:23'],
  ['arp_op', 16, 'dec', '-', 'NXM_OF_ARP_OP 0:15', 'OXM_OF_ARP_OP 32768:21'],
  ['ip_proto', 8, 'dec', '-', 'NXM_OF_IP_PROTO 0:6', 'OXM_OF_IP_PROTO 32768:10', 'nw_proto'],
  ['arp_sha', 48, 'mac', 'm', 'NXM_NX_ARP_SHA 1:17', 'OXM_OF_ARP_SHA 32768:24'],
  ['arp_tha', 48, 'mac', 'm', 'NXM_NX_ARP_THA 1:18', 'OXM_OF_ARP_THA 32768:25'],
  ['nw_tos', 8, 'dec', '-', 'NXM_OF_IP_TOS 0:5', null],
  ['ip_dscp', 6, 'dec', '-', null, 'OXM_OF_IP_DSCP 32768:8'],
  ['ip_ecn', 2, 'dec', '-', 'NXM_NX_IP_ECN 1:28', 'OXM_OF_IP_ECN 32768:9', 'nw_ecn'],
  ['nw_ttl', 8, 'dec', '-', 'NXM_NX_IP_TTL 1:29', null],
  ['ip_frag', 2, 'frag', 'm', 'NXM_NX_IP_FRAG 1:26', null],
  ['tcp_src', 16, 'dec', 'm', 'NXM_OF_TCP_SRC 0:9', 'OXM_OF_TCP_SRC 32768:13'],
  ['tcp_dst', 16, 'dec', 'm', 'NXM_OF_TCP_DST 0:10', 'OXM_OF_TCP_DST 32768:14'],
  ['udp_src', 16, 'dec', 'm', 'NXM_OF_UDP_SRC 0:11', 'OXM_OF_UDP_SRC 32768:15'],
  ['udp_dst', 16, 'dec', 'm', 'NXM_OF_UDP_DST 0:12', 'OXM_OF_UDP_DST 32768:16'],
  ['sctp_src', 16, 'dec', 'm', null, 'OXM_OF_SCTP_SRC 32768:17'],
  ['sctp_dst', 16, 'dec', 'm', null, 'OXM_OF_SCTP_DST 32768:18'],
  ['icmp_type', 8, 'dec', '-', 'NXM_OF_ICMP_TYPE 0:13', 'OXM_OF_ICMPV4_TYPE 32768:19'],
  ['icmp_code', 8, 'dec', '-', 'NXM_OF_ICMP_CODE 0:14', 'OXM_OF_ICMPV4_CODE 32768:20'],
  ['icmpv6_type', 8, 'dec', '-', 'NXM_NX_ICMPV6_TYPE 1:21', 'OXM_OF_ICMPV6_TYPE 32768:29'],
  ['icmpv6_code', 8, 'dec', '-', 'NXM_NX_ICMPV6_CODE 1:22', 'OXM_OF_ICMPV6_CODE 32768:30'],
  ['nd_target', 128, 'ip6', 'm', 'NXM_NX_ND_TARGET 1:23', 'OXM_OF_IPV6_ND_TARGET 32768:31'],
  ['nd_sll', 48, 'mac', 'm', 'NXM_NX_ND_SLL 1:24', 'OXM_OF_IPV6_ND_SLL 32768:32'],
  ['nd_tll', 48, 'mac', 'm', 'NXM_NX_ND_TLL 1:25', 'OXM_OF_IPV6_ND_TLL 32768:33'],
  ['nd_reserved', 32, 'dec', '-', null, 'ERICOXM_OF_ICMPV6_ND_RESERVED 4096:1'],
  ['nd_options_type', 8, 'dec', '-', null, 'ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE 4096:2'],
  ['tcp_flags', 12, 'tcp_flags', 'm', 'NXM_NX_TCP_FLAGS 1:34', 'ONFOXM_ET_TCP_FLAGS 65535:42:1330529792'],
]

function parseHeader(text: string): FieldHeader {
  const [name = '', numbers = ''] = text.split(' ')
  const [cls = 0, number = 0, experimenter] = numbers.split(':').map(Number)
  return experimenter === undefined ? { name, class: cls, number } : { name, class: cls, number, experimenter }
}

function makeField(row: Row, index: number): Field {
  const [name, bits, style, mask, nxm, oxm, label] = row
  const subfield = parseHeader(nxm ?? oxm ?? '')
  const wire = parseHeader(oxm ?? nxm ?? '')
  return {
    name,
    label: label ?? name,
    bits,
    bytes: bits === 20 ? 4 : Math.ceil(bits / 8),
    style,
    maskable: mask === 'm',
    subfield,
    wire,
    index,
  }
}

/** All fields, in the order in which a match is printed. */
export const FIELDS: readonly Field[] = ROWS.map(makeField)

// A Map: four times as fast as an object with that many members, and this is looked up several times for every field of every flow.
const BY_NAME: ReadonlyMap<FieldName, Field> = new Map(FIELDS.map((f) => [f.name, f]))

export function fieldOf(name: FieldName): Field {
  const field = BY_NAME.get(name)
  if (field === undefined) throw new Error(`no field ${name}`)
  return field
}

/** Other spellings that ovs-ofctl takes for a field, where the meaning does not depend on other fields. */
const ALIASES: Readonly<Record<string, FieldName>> = {
  nw_proto: 'ip_proto',
  nw_src: 'ip_src',
  nw_dst: 'ip_dst',
  nw_ecn: 'ip_ecn',
  dl_src: 'eth_src',
  dl_dst: 'eth_dst',
  dl_type: 'eth_type',
  tunnel_id: 'tun_id',
  nw_frag: 'ip_frag',
}

const BY_TEXT: ReadonlyMap<string, Field> = new Map([
  ...FIELDS.flatMap((f): [string, Field][] => [
    [f.name, f],
    [f.label, f],
    [f.subfield.name, f],
    [f.wire.name, f],
  ]),
  ...Object.entries(ALIASES).map(([text, name]): [string, Field] => [text, fieldOf(name)]),
])

/** A field by any of its names (`reg0`, `NXM_NX_REG0`, `OXM_OF_ETH_SRC`, `nw_src`); undefined when there is none. */
export function fieldByText(text: string): Field | undefined {
  return BY_TEXT.get(text)
}

const BY_HEADER: ReadonlyMap<number, Field> = new Map(
  FIELDS.flatMap((f): [number, Field][] => [f.subfield, f.wire].map((h) => [headerKey(h.class, h.number, h.experimenter), f])),
)

/** Experimenters' numbers have 32 bits; class and number 23. */
function headerKey(cls: number, number: number, experimenter = 0): number {
  return experimenter * 0x800000 + cls * 0x80 + number
}

/** The field that a header on the wire names; undefined when it is none of ours. */
export function fieldByHeader(cls: number, number: number, experimenter?: number): Field | undefined {
  return BY_HEADER.get(headerKey(cls, number, experimenter))
}

/** All ones over the width of a field. */
export function fullMask(field: Field): bigint {
  return FULL[field.index] ?? 0n
}

// `vlan_vid` has 12 bits as a subfield, but its value carries the "present" bit above them, as on the wire.
// `ct_state` is 32 bits wide on the wire, of which OVS keeps 8.
const WIDTHS: Readonly<Partial<Record<FieldName, number>>> = { vlan_vid: 13, ct_state: 8 }

const FULL: readonly bigint[] = FIELDS.map((f) => (1n << BigInt(WIDTHS[f.name] ?? f.bits)) - 1n)
