import fc from 'fast-check'
import { type FieldName, fieldOf, fullMask } from '../../../../../agentd/backends/ovs/flow/fields.ts'
import type { MatchInput } from '../../../../../agentd/backends/ovs/flow/make.ts'

/** What packets a flow is about; fields stand with the types they need. */
export type Kind = 'any' | 'ip' | 'tcp' | 'udp' | 'sctp' | 'icmp' | 'ipv6' | 'tcp6' | 'icmp6' | 'nd_ns' | 'nd_na' | 'arp' | 'other'
export const KINDS: readonly Kind[] = ['any', 'ip', 'tcp', 'udp', 'sctp', 'icmp', 'ipv6', 'tcp6', 'icmp6', 'nd_ns', 'nd_na', 'arp', 'other']

const IP_FIELDS: readonly FieldName[] = ['ip_src', 'ip_dst', 'nw_tos', 'ip_ecn', 'nw_ttl', 'ip_frag']
const IP6_FIELDS: readonly FieldName[] = ['ipv6_src', 'ipv6_dst', 'ipv6_label', 'nw_tos', 'ip_ecn', 'nw_ttl', 'ip_frag']

const BASE: Readonly<Record<Kind, { readonly fixed: MatchInput; readonly fields: readonly FieldName[] }>> = {
  any: { fixed: {}, fields: [] },
  ip: { fixed: { eth_type: 0x800 }, fields: [...IP_FIELDS, 'ip_proto'] },
  tcp: { fixed: { eth_type: 0x800, ip_proto: 6 }, fields: [...IP_FIELDS, 'tcp_src', 'tcp_dst', 'tcp_flags'] },
  udp: { fixed: { eth_type: 0x800, ip_proto: 17 }, fields: [...IP_FIELDS, 'udp_src', 'udp_dst'] },
  sctp: { fixed: { eth_type: 0x800, ip_proto: 132 }, fields: [...IP_FIELDS, 'sctp_src', 'sctp_dst'] },
  icmp: { fixed: { eth_type: 0x800, ip_proto: 1 }, fields: [...IP_FIELDS, 'icmp_type', 'icmp_code'] },
  ipv6: { fixed: { eth_type: 0x86dd }, fields: [...IP6_FIELDS, 'ip_proto'] },
  tcp6: { fixed: { eth_type: 0x86dd, ip_proto: 6 }, fields: [...IP6_FIELDS, 'tcp_src', 'tcp_dst'] },
  icmp6: { fixed: { eth_type: 0x86dd, ip_proto: 58 }, fields: [...IP6_FIELDS, 'icmpv6_type', 'icmpv6_code'] },
  nd_ns: { fixed: { eth_type: 0x86dd, ip_proto: 58, icmpv6_type: 135, icmpv6_code: 0 }, fields: ['ipv6_src', 'nd_target', 'nd_sll'] },
  nd_na: { fixed: { eth_type: 0x86dd, ip_proto: 58, icmpv6_type: 136, icmpv6_code: 0 }, fields: ['ipv6_dst', 'nd_target', 'nd_tll'] },
  arp: { fixed: { eth_type: 0x806 }, fields: ['arp_spa', 'arp_tpa', 'arp_sha', 'arp_tha'] },
  other: { fixed: { eth_type: 0x88cc }, fields: [] },
}

const COMMON: readonly FieldName[] = [
  ...(Array.from({ length: 16 }, (_, n) => `reg${n}`) as FieldName[]),
  'metadata',
  'eth_src',
  'eth_dst',
  'tun_id',
  'tun_src',
  'tun_dst',
  'tun_ipv6_src',
  'tun_ipv6_dst',
  'pkt_mark',
  'ct_mark',
  'ct_label',
  'ct_zone',
  'ct_state',
]

export const big = (bits: number): fc.Arbitrary<bigint> => fc.oneof(fc.bigInt(0n, 3n), fc.bigInt(0n, (1n << BigInt(bits)) - 1n))

/** Prefixes, single bits and anything. */
function maskOf(bits: number): fc.Arbitrary<bigint> {
  const full = (1n << BigInt(bits)) - 1n
  const prefix = fc.integer({ min: 1, max: bits }).map((n) => (full << BigInt(bits - n)) & full)
  return fc.oneof(
    prefix,
    fc.integer({ min: 0, max: bits - 1 }).map((n) => 1n << BigInt(n)),
    fc.bigInt(1n, full),
  )
}

function someValue(name: FieldName): fc.Arbitrary<{ value: bigint; mask?: bigint }> {
  const field = fieldOf(name)
  const bits = fullMask(field).toString(2).length
  const exact = big(bits).map((value) => ({ value }))
  // A flow that may see invalid packets must not commit them.
  if (name === 'ct_state') return fc.record({ value: big(8), mask: maskOf(8) }).map(({ value, mask }) => ({ value: value & ~0x10n, mask }))
  if (name === 'nw_tos') return big(6).map((v) => ({ value: v << 2n }))
  if (name === 'ip_frag') return fc.constantFrom({ value: 0n }, { value: 1n }, { value: 1n, mask: 1n }, { value: 0n, mask: 2n })
  // Zones have no upper half on this datapath; nothing here depends on it.
  if (!field.maskable) return exact
  // ovs-ofctl cannot read IPv6 masks with holes that begin with a digit, though it prints them.
  const mask = field.style === 'ip6' ? maskOf(bits).map((m) => m | (0xffffn << 112n)) : maskOf(bits)
  return fc.oneof(exact, fc.record({ value: big(bits), mask }))
}

const PLAIN_PROTO = fc.integer({ min: 200, max: 250 }).map((n) => ({ value: BigInt(n) }))

function vlan(): fc.Arbitrary<MatchInput> {
  const vid = fc.integer({ min: 0, max: 4095 })
  return fc.oneof(
    vid.map((v): MatchInput => ({ vlan_tci: { value: BigInt(0x1000 | v), mask: 0x1fffn } })),
    fc.tuple(vid, fc.integer({ min: 0, max: 7 })).map(([v, p]): MatchInput => ({ vlan_tci: { value: BigInt((p << 13) | 0x1000 | v) } })),
    fc.constantFrom<MatchInput>({ vlan_tci: { value: 0n, mask: 0x1fffn } }, { vlan_tci: { value: 0x1000n, mask: 0x1000n } }, {}),
  )
}

export function matchOf(kind: Kind): fc.Arbitrary<MatchInput> {
  const { fixed, fields } = BASE[kind]
  const some = fc.subarray([...COMMON, ...fields], { maxLength: 8 })
  const values = some.chain((names) =>
    fc
      .tuple(...names.map((name) => (name === 'ip_proto' ? PLAIN_PROTO : someValue(name))))
      .map((list) => Object.fromEntries(names.map((name, i) => [name, list[i]]))),
  )
  return fc
    .tuple(values, vlan(), fc.option(fc.integer({ min: 1, max: 65279 }), { nil: undefined }))
    .map(([chosen, tci, port]) => ({ ...chosen, ...tci, ...fixed, in_port: port }))
}
