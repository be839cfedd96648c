import { FlowError } from './error.ts'
import { type FieldName, fieldByText } from './fields.ts'
import { type FieldInput, type FlowInput, makeFlow } from './make.ts'
import { parseActions } from './parse-actions.ts'
import { parseFieldText } from './parse-value.ts'
import { keyValue, splitOutside } from './tokens.ts'
import { FLOW_FLAGS, type Flow, type FlowFlag } from './types.ts'
import { parseNumber, parseUint } from './values.ts'

/** A flow as `ovs-ofctl dump-flows` prints it or `add-flow` takes it, with counters or without. Throws FlowError that quotes what it cannot read. */
export function parseFlow(text: string): Flow {
  const at = /(?:^|[\s,])actions=/.exec(text)
  if (at === null) throw new FlowError('bad-syntax', text, `"${text}": no actions`)
  const input = parseHead(text.slice(0, at.index))
  return makeFlow({ ...input, actions: parseActions(text.slice(at.index + at[0].length).trim()) })
}

/** What ovs-ofctl prints and nobody sets. */
const COUNTERS = new Set(['duration', 'n_packets', 'n_bytes', 'idle_age', 'hard_age'])

interface Keyword {
  readonly type: bigint
  readonly proto?: bigint
}

const KEYWORDS: Readonly<Record<string, Keyword>> = {
  ip: { type: 0x800n },
  ipv4: { type: 0x800n },
  icmp: { type: 0x800n, proto: 1n },
  tcp: { type: 0x800n, proto: 6n },
  udp: { type: 0x800n, proto: 17n },
  sctp: { type: 0x800n, proto: 132n },
  ipv6: { type: 0x86ddn },
  ip6: { type: 0x86ddn },
  icmp6: { type: 0x86ddn, proto: 58n },
  tcp6: { type: 0x86ddn, proto: 6n },
  udp6: { type: 0x86ddn, proto: 17n },
  sctp6: { type: 0x86ddn, proto: 132n },
  arp: { type: 0x806n },
  rarp: { type: 0x8035n },
  mpls: { type: 0x8847n },
  mplsm: { type: 0x8848n },
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function parseHead(text: string): FlowInput {
  const input: Mutable<FlowInput> = {}
  const flags: FlowFlag[] = []
  const match: Record<string, FieldInput> = {}
  const late: { key: string; value: string }[] = []
  const add = (name: FieldName, value: FieldInput): void => {
    if (match[name] !== undefined) throw new FlowError('bad-value', name, `"${name}" is matched twice`)
    match[name] = value
  }
  for (const part of splitOutside(text, ', \t\n')) {
    const { key, value } = keyValue(part)
    const keyword = value === undefined ? KEYWORDS[key] : undefined
    if (keyword !== undefined) {
      add('eth_type', keyword.type)
      if (keyword.proto !== undefined) add('ip_proto', keyword.proto)
    } else if (value === undefined) {
      if (!(FLOW_FLAGS as readonly string[]).includes(key)) throw unknownMatch(part)
      flags.push(key as FlowFlag)
    } else if (!COUNTERS.has(key) && !readAttribute(input, key, value)) {
      if (AMBIGUOUS.has(key)) late.push({ key, value })
      else addNamed(add, key, value, part)
    }
  }
  for (const { key, value } of late) add(resolve(key, match), value)
  return { ...input, flags, match }
}

function unknownMatch(part: string): FlowError {
  return new FlowError('unknown-match', part, `unknown match "${part}"`)
}

/** Members of a flow that are no match. */
function readAttribute(input: Mutable<FlowInput>, key: string, value: string): boolean {
  switch (key) {
    case 'table':
      input.table = parseUint(value, 8)
      return true
    case 'cookie':
      input.cookie = parseNumber(value)
      return true
    case 'priority':
    case 'idle_timeout':
    case 'hard_timeout':
    case 'importance':
      input[key] = parseUint(value, 16)
      return true
    default:
      return false
  }
}

function addNamed(add: (name: FieldName, value: FieldInput) => void, key: string, value: string, part: string): void {
  const field = fieldByText(key)
  if (key === 'dl_vlan') add('vlan_vid', BigInt(0x1000 | parseUint(value, 12)))
  else if (key === 'dl_vlan_pcp') add('vlan_pcp', BigInt(parseUint(value, 3)))
  else if (field === undefined) throw unknownMatch(part)
  else add(field.name, parseFieldText(field, value))
}

/** Names that mean another field for each protocol. */
const AMBIGUOUS = new Set(['tp_src', 'tp_dst', 'icmp_type', 'icmp_code', 'nw_src', 'nw_dst', 'nw_proto'])

function resolve(key: string, match: Readonly<Record<string, FieldInput>>): FieldName {
  const type = number(match['eth_type'])
  const proto = number(match['ip_proto'])
  const arp = type === 0x806n || type === 0x8035n
  switch (key) {
    case 'nw_src':
      return arp ? 'arp_spa' : 'ip_src'
    case 'nw_dst':
      return arp ? 'arp_tpa' : 'ip_dst'
    case 'nw_proto':
      return arp ? 'arp_op' : 'ip_proto'
    case 'icmp_type':
      return proto === 58n ? 'icmpv6_type' : 'icmp_type'
    case 'icmp_code':
      return proto === 58n ? 'icmpv6_code' : 'icmp_code'
    default:
      return transport(key, proto)
  }
}

function transport(key: string, proto: bigint | undefined): FieldName {
  const side = key === 'tp_src' ? 'src' : 'dst'
  if (proto === 6n) return `tcp_${side}`
  if (proto === 17n) return `udp_${side}`
  if (proto === 132n) return `sctp_${side}`
  throw new FlowError('bad-syntax', key, `"${key}" needs tcp, udp or sctp`)
}

function number(input: FieldInput | undefined): bigint | undefined {
  return typeof input === 'bigint' ? input : typeof input === 'object' ? input.value : undefined
}
