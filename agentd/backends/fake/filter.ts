import { cidrContains, parseCidr } from '../../../src/lib/cidr.ts'
import { parseIp } from '../../../src/lib/ip.ts'
import type { GroupRule } from '../../../src/model/intent.ts'
import type { Key } from '../../../src/model/key.ts'
import type { Body, Frame } from './frame.ts'
import type { Group, Remote } from './tables.ts'

/** What the rules of security groups are asked with. */
export interface Rules {
  readonly groups: readonly Group[]
  readonly remotes: readonly Remote[]
}

type Direction = GroupRule['direction']

/** Whether security groups let a frame out of a port (`egress`) or in to it. Ports without any are under no rules. */
export function passes(rules: Rules, groups: readonly Key[] | undefined, direction: Direction, frame: Frame): boolean {
  if (groups === undefined || needsNoRule(direction, frame.body)) return true
  const { body, connection = 'new' } = frame
  if (body.type === 'arp' || body.type === 'rarp' || body.type === 'other') return false
  const own = rules.groups.filter((g) => groups.includes(g.group))
  if (connection === 'answer' && own.length === groups.length && own.every((g) => g.stateful)) return true
  return own.some((g) => g.rules.some((rule) => rule.direction === direction && fits(rules, rule, body)))
}

/** What a guest needs to be on its network at all. */
function needsNoRule(direction: Direction, body: Body): boolean {
  const out = direction === 'egress'
  switch (body.type) {
    case 'arp':
      return true
    case 'rarp':
      return out
    case 'icmp6':
      return (out ? [130, 131, 132, 133, 135, 136, 143] : [130, 134, 135, 136]).includes(body.kind)
    case 'udp': {
      const [client, server] = body.src.includes(':') ? [546, 547] : [68, 67]
      return out ? body.sport === client && body.dport === server : body.sport === server && body.dport === client
    }
    default:
      return false
  }
}

const PROTOCOLS = { tcp: 6, udp: 17, icmp: 1, icmp6: 58 } as const
type Ip = Extract<Body, { readonly type: keyof typeof PROTOCOLS }>

function fits(rules: Rules, rule: GroupRule, body: Ip): boolean {
  if (rule.ethertype !== (body.src.includes(':') ? 'IPv6' : 'IPv4')) return false
  if (rule.protocol !== undefined && rule.protocol !== PROTOCOLS[body.type]) return false
  if (rule.ports !== undefined) {
    if (!('dport' in body) || body.dport < rule.ports.first || body.dport > rule.ports.last) return false
  }
  // Frames here carry no ICMP code but 0.
  if (rule.icmp !== undefined && !('kind' in body && body.kind === rule.icmp.type && (rule.icmp.code ?? 0) === 0)) return false
  return isRemote(rules, rule, rule.direction === 'egress' ? body.dst : body.src)
}

function isRemote({ remotes }: Rules, { remote }: GroupRule, address: string): boolean {
  if (remote === undefined) return true
  if ('prefix' in remote) return contains(remote.prefix, address)
  const key = 'group' in remote ? remote.group : remote.addresses
  return remotes.some((r) => r.remote === key && r.prefixes.some((prefix) => contains(prefix, address)))
}

function contains(prefix: string, address: string): boolean {
  const cidr = parseCidr(prefix)?.cidr
  const ip = parseIp(address)
  return cidr !== undefined && ip !== undefined && cidrContains(cidr, ip)
}
