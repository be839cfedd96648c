import { prefixContains } from '../../../src/lib/cidr.ts'
import { parseIp } from '../../../src/lib/ip.ts'
import { type Attempt, ruleAllows } from '../../../src/model/group-rule.ts'
import type { GroupRule } from '../../../src/model/intent.ts'
import type { Key } from '../../../src/model/key.ts'
import type { Body, Frame } from './frame.ts'
import type { Group, Location, Remote } from './tables.ts'

/** What the rules of security groups are asked with. */
export interface Rules {
  readonly groups: readonly Group[]
  readonly remotes: readonly Remote[]
  readonly locations: readonly Location[]
}

/** The port whose rules are asked. */
export interface Ruled {
  readonly network: string
  readonly groups?: readonly Key[]
}

type Direction = GroupRule['direction']

/** Whether security groups let a frame out of a port (`egress`) or in to it. Ports without any are under no rules. */
export function passes(rules: Rules, { network, groups }: Ruled, direction: Direction, frame: Frame): boolean {
  if (groups === undefined || needsNoRule(direction, frame.body)) return true
  const { body, connection = 'new' } = frame
  if (body.type === 'arp' || body.type === 'rarp' || body.type === 'other') return false
  const own = rules.groups.filter((g) => groups.includes(g.group))
  if (connection === 'answer' && own.length === groups.length && own.every((g) => g.stateful)) return true
  return own.some((g) => g.rules.some((rule) => fits(rules, network, rule, direction, body)))
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

function fits(rules: Rules, network: string, rule: GroupRule, direction: Direction, body: Ip): boolean {
  const other = parseIp(direction === 'egress' ? body.dst : body.src)
  if (other === undefined) return false
  const attempt: Attempt = {
    direction,
    other,
    protocol: PROTOCOLS[body.type],
    // Frames here carry no ICMP code but 0.
    ...('kind' in body ? { icmp: { type: body.kind, code: 0 } } : { port: body.dport }),
  }
  return ruleAllows(rule, attempt, (key) => prefixesThere(rules, network, key))
}

/** A member's prefix stands for the group where the member is, and where nobody else has an address in it. */
function prefixesThere({ remotes, locations }: Rules, network: string, key: Key): readonly string[] | undefined {
  const remote = remotes.find((r) => r.remote === key)
  const members = remote?.members
  if (members === undefined || members === null) return remote?.prefixes
  const there = locations.filter((l) => l.network === network)
  return Object.entries(members).flatMap(([port, prefixes]) =>
    prefixes.filter((prefix) => {
      const holders = there.filter((l) => l.ips.some((ip) => isIn(prefix, ip)))
      return there.some((l) => l.port === port) || holders.every((l) => l.port in members)
    }),
  )
}

function isIn(prefix: string, address: string): boolean {
  const ip = parseIp(address)
  return ip !== undefined && prefixContains(prefix, ip)
}
