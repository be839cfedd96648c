import { icmp6Sum } from '../../../../src/lib/internet-checksum.ts'
import { ipBytes, parseIp } from '../../../../src/lib/ip.ts'
import type { Connection } from '../compile/connections.ts'
import { BEGUN_HERE, BEGUN_THERE } from '../compile/filter.ts'
import type { Action } from '../flow/types.ts'
import type { PacketOut } from '../openflow/packets.ts'

/** Names that `dpctl/dump-conntrack` has for protocols; others it shows by number. */
const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['icmp', 1],
  ['igmp', 2],
  ['tcp', 6],
  ['udp', 17],
  ['dccp', 33],
  ['icmpv6', 58],
  ['sctp', 132],
  ['udplite', 136],
])

/** `tcp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1,dport=2),reply=(…),zone=5,…`: one connection for each line. A line that is none is left out. */
export function readConnections(dump: string): readonly Connection[] {
  return dump.split('\n').flatMap((line) => {
    const [, name = '', orig = ''] = /^([\w-]+),orig=\(([^)]*)\)/.exec(line) ?? []
    const parts = new Map(orig.split(',').map((part) => part.split('=') as [string, string]))
    const protocol = PROTOCOLS.get(name) ?? Number(name)
    const src = parts.get('src')
    const dst = parts.get('dst')
    if (src === undefined || dst === undefined || !Number.isInteger(protocol)) return []
    const number = (key: string): number => Number(parts.get(key) ?? 0)
    const icmp = parts.has('type') ? { icmp: { type: number('type'), code: number('code'), id: number('id') } } : {}
    const zone = Number(/,zone=(\d+)/.exec(line)?.[1] ?? 0)
    const begun = BEGUN.get(Number(/,mark=(\d+)/.exec(line)?.[1] ?? 0) & (BEGUN_HERE | BEGUN_THERE))
    return [
      { zone, protocol, src, dst, sport: number('sport'), dport: number('dport'), ...icmp, ...(begun === undefined ? {} : { begun }) },
    ]
  })
}

/**
 * False for what vswitchd must not be asked to forget by its tuple: for ICMPv6, and for ICMP types that nobody answers, it aborts (seen with 3.1.0 to 3.1.7: conntrack's `tuple_to_conn_key`
 * turns the type round with a table that knows IPv4's questions only). An echo of IPv6 is marked as refused instead (`refusal`).
 */
export function canBeEnded({ protocol, icmp }: Connection): boolean {
  if (protocol === ICMPV6) return false
  return protocol !== ICMP || (icmp !== undefined && QUESTIONS.has(icmp.type))
}

const ICMP = 1
const ICMPV6 = 58
/** Echo, timestamp, information. */
const QUESTIONS: ReadonlySet<number> = new Set([8, 13, 15])

const BEGUN: ReadonlyMap<number, 'egress' | 'ingress'> = new Map([
  [BEGUN_HERE, 'egress'],
  [BEGUN_THERE, 'ingress'],
])

/**
 * An echo request as whoever began the connection would send it, which goes nowhere: looking it up is enough to write on the connection that it is refused, and its answers pass no more.
 * Undefined: it is no echo of IPv6.
 */
export function refusal({ protocol, src, dst, zone, icmp }: Connection): PacketOut | undefined {
  if (protocol !== ICMPV6 || icmp?.type !== 128) return undefined
  const [from, to] = [parseIp(src), parseIp(dst)]
  if (from === undefined || to === undefined) return undefined
  const addresses = Buffer.concat([ipBytes(from), ipBytes(to)])
  const echo = Buffer.alloc(8)
  echo.writeUInt8(128, 0)
  echo.writeUInt16BE(icmp.id, 4)
  echo.writeUInt16BE(0xffff - icmp6Sum(addresses, echo), 2)
  const header = Buffer.from([0x60, 0, 0, 0, 0, echo.length, ICMPV6, 64])
  const packet = Buffer.concat([Buffer.alloc(12), Buffer.from([0x86, 0xdd]), header, addresses, echo])
  const refused: Action = { kind: 'load', dst: { field: 'ct_mark', start: 0, bits: 1 }, value: 1n }
  return { packet, actions: [{ kind: 'ct', commit: true, zone, exec: [refused] }] }
}

/** What `dpctl/flush-conntrack` takes to forget exactly this one. */
export function connectionTuple({ src, dst, protocol, sport, dport, icmp }: Connection): string {
  const [from, to] = parseIp(src)?.family === 6 ? ['ct_ipv6_src', 'ct_ipv6_dst'] : ['ct_nw_src', 'ct_nw_dst']
  const ends = `${from}=${src},${to}=${dst},ct_nw_proto=${protocol}`
  if (icmp !== undefined) return `${ends},icmp_type=${icmp.type},icmp_code=${icmp.code},icmp_id=${icmp.id}`
  return `${ends},ct_tp_src=${sport},ct_tp_dst=${dport}`
}
