import { parseIp } from '../../../../src/lib/ip.ts'
import type { Connection } from '../compile/connections.ts'

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
    return [{ zone, protocol, src, dst, sport: number('sport'), dport: number('dport'), ...icmp }]
  })
}

/**
 * False for what vswitchd must not be asked to forget by its tuple: for ICMPv6, and for ICMP types that nobody answers, it aborts (seen with 3.1.0 to 3.1.7: conntrack's `tuple_to_conn_key`
 * turns the type round with a table that knows IPv4's questions only). Such an echo is refused by its next question, and forgotten within a minute.
 */
export function canBeEnded({ protocol, icmp }: Connection): boolean {
  if (protocol === ICMPV6) return false
  return protocol !== ICMP || (icmp !== undefined && QUESTIONS.has(icmp.type))
}

const ICMP = 1
const ICMPV6 = 58
/** Echo, timestamp, information. */
const QUESTIONS: ReadonlySet<number> = new Set([8, 13, 15])

/** What `dpctl/flush-conntrack` takes to forget exactly this one. */
export function connectionTuple({ src, dst, protocol, sport, dport, icmp }: Connection): string {
  const [from, to] = parseIp(src)?.family === 6 ? ['ct_ipv6_src', 'ct_ipv6_dst'] : ['ct_nw_src', 'ct_nw_dst']
  const ends = `${from}=${src},${to}=${dst},ct_nw_proto=${protocol}`
  if (icmp !== undefined) return `${ends},icmp_type=${icmp.type},icmp_code=${icmp.code},icmp_id=${icmp.id}`
  return `${ends},ct_tp_src=${sport},ct_tp_dst=${dport}`
}
