import { PROBE_PORT } from '../lab/guest/protocol.ts'
import type { ProbeKind } from '../lab/probe.ts'
import type { Passes, Reach } from '../lab/prove.ts'
import { cidrContains, parseCidr } from '../lib/cidr.ts'
import { type Ip, parseIp } from '../lib/ip.ts'
import type { AttachIntent, GroupRule, Intent } from '../model/intent.ts'
import { type Key, namedKey } from '../model/key.ts'
import type { World } from '../server/engine/types.ts'

/**
 * Who is to reach whom: ports of one network, as far as their security groups let them. Ports of different networks do not: there are no routers yet. Told from what the hosts are
 * asked for, not from any flow.
 */
export function reaches(world: World): (from: Key, to: Key) => Reach {
  const networkOf = (port: Key): Key | undefined => {
    const resource = world.resources.get(port)
    const network = resource?.spec['network']
    return resource === undefined || typeof network !== 'string' ? undefined : namedKey('network', resource.project, network)
  }
  const isUp = (key: Key | undefined): boolean => key === undefined || world.resources.get(key)?.spec['admin_state_up'] !== false
  const carries = (port: Key): boolean => isUp(port) && isUp(networkOf(port))
  const groups = groupsOf(world)
  return (from, to) => {
    if (networkOf(from) !== networkOf(to) || !carries(from) || !carries(to)) return false
    const [a, b] = [groups.attaches.get(from), groups.attaches.get(to)]
    if (a?.security_groups === undefined && b?.security_groups === undefined) return true
    return a === undefined || b === undefined ? true : passesBetween(a, b, groups)
  }
}

/** What hosts are told of ports and groups, whatever scope it stands in. */
interface Groups {
  readonly attaches: ReadonlyMap<Key, AttachIntent>
  readonly rules: ReadonlyMap<Key, readonly GroupRule[]>
  readonly stateless: ReadonlySet<Key>
  /** Prefixes of the members of a group, or of an address group. */
  readonly prefixes: ReadonlyMap<Key, readonly string[]>
}

function groupsOf(world: World): Groups {
  const attaches = new Map<Key, AttachIntent>()
  const rules = new Map<Key, GroupRule[]>()
  const stateless = new Set<Key>()
  const prefixes = new Map<Key, string[]>()
  const intents = [...world.scopes.values()].flatMap((scope): Intent[] => [...scope.intents.values()])
  for (const i of intents) {
    if (i.type === 'attach') attaches.set(i.port, i)
    else if (i.type === 'group' && !i.stateful) stateless.add(i.group)
    else if (i.type === 'group_rule') rules.set(i.group, [...(rules.get(i.group) ?? []), i.rule])
    else if (i.type === 'member') prefixes.set(i.group, [...(prefixes.get(i.group) ?? []), ...i.prefixes])
    else if (i.type === 'addresses') prefixes.set(i.addresses, [...i.prefixes])
  }
  return { attaches, rules, stateless, prefixes }
}

/** A question from one to the other, and its answer. */
function passesBetween(from: AttachIntent, to: AttachIntent, groups: Groups): Passes {
  return (address, kind) => {
    const dst = parseIp(address)
    const src = from.addresses.map((a) => parseIp(a.replace(/\/.*$/, ''))).find((ip) => ip?.family === dst?.family)
    if (src === undefined || dst === undefined) return true
    const question = { kind, port: PROBE_PORT }
    const answer = { kind, answer: true }
    return (
      allows(from, 'egress', dst, question, groups) &&
      allows(to, 'ingress', src, question, groups) &&
      (isStateful(to, groups) || allows(to, 'egress', src, answer, groups)) &&
      (isStateful(from, groups) || allows(from, 'ingress', dst, answer, groups))
    )
  }
}

interface Asked {
  readonly kind: ProbeKind
  /** Absent: any port, as that of a program which asks. */
  readonly port?: number
  readonly answer?: boolean
}

function isStateful({ security_groups: own }: AttachIntent, { stateless }: Groups): boolean {
  return own === undefined || !own.some((g) => stateless.has(g))
}

function allows(port: AttachIntent, direction: GroupRule['direction'], other: Ip, asked: Asked, groups: Groups): boolean {
  const own = port.security_groups
  if (own === undefined) return true
  return own
    .flatMap((g) => groups.rules.get(g) ?? [])
    .some((rule) => rule.direction === direction && fits(rule, other, asked) && isRemote(rule, other, groups))
}

function fits(rule: GroupRule, { family }: Ip, { kind, port, answer }: Asked): boolean {
  if (rule.ethertype !== (family === 4 ? 'IPv4' : 'IPv6')) return false
  const [protocol, request, reply] = kind === 'tcp' ? [6] : kind === 'udp' ? [17] : family === 4 ? [1, 8, 0] : [58, 128, 129]
  if (rule.protocol !== undefined && rule.protocol !== protocol) return false
  if (rule.ports !== undefined && (port === undefined || port < rule.ports.first || port > rule.ports.last)) return false
  return rule.icmp === undefined || rule.icmp.type === (answer === true ? reply : request)
}

function isRemote({ remote }: GroupRule, other: Ip, { prefixes }: Groups): boolean {
  if (remote === undefined) return true
  const named = 'prefix' in remote ? [remote.prefix] : (prefixes.get('group' in remote ? remote.group : remote.addresses) ?? [])
  return named.some((prefix) => {
    const cidr = parseCidr(prefix)?.cidr
    return cidr !== undefined && cidr.family === other.family && cidrContains(cidr, other)
  })
}
