import type { PortSpec } from '../kinds/port/spec.ts'
import { PROBE_PORT } from '../lab/guest/protocol.ts'
import type { ProbeKind } from '../lab/probe.ts'
import type { Passes, Reach } from '../lab/prove.ts'
import { type Ip, parseIp } from '../lib/ip.ts'
import { type Attempt, ruleAllows } from '../model/group-rule.ts'
import type { AttachIntent, GroupRule, Intent } from '../model/intent.ts'
import { type Key, namedKey } from '../model/key.ts'
import type { Resource } from '../model/resource.ts'
import type { World } from '../server/engine/types.ts'
import { labRoutes } from './lab-routes.ts'

/**
 * Who is to reach whom: ports of one network, and those between whose networks routers lead both ways; as far as their security groups let them. Told from what the hosts are
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
  const routes = labRoutes(world)
  const hasRouters = [...world.resources.values()].some((r) => r.kind === 'router')
  const portOf = (key: Key): Resource<PortSpec> | undefined => world.resources.get(key) as Resource<PortSpec> | undefined
  const leads = (port: Resource<PortSpec> | undefined, network: Key | undefined, address: string): boolean =>
    port !== undefined && network !== undefined && routes.networkFor(port, address) === network
  const leadsBack = (a: AttachIntent | undefined, b: AttachIntent | undefined, network: Key | undefined, address: string): boolean => {
    const own = a?.addresses.find((own) => own.includes(':') === address.includes(':'))
    return own !== undefined && b !== undefined && leads(portOf(b.port), network, own.slice(0, own.indexOf('/')))
  }
  const hostOf = (port: Key): unknown => world.resources.get(port)?.spec['host']
  return (from, to) => {
    const [there, here] = [networkOf(to), networkOf(from)]
    if (!carries(from) || !carries(to) || (there !== here && !hasRouters)) return false
    if (hostOf(from) !== hostOf(to) && (isLocal(here, world) || isLocal(there, world))) return false
    const [a, b] = [groups.attaches.get(from), groups.attaches.get(to)]
    const passes = a === undefined || b === undefined ? undefined : passesBetween(a, b, groups)
    if (there !== here) {
      return (address, kind) => leads(portOf(from), there, address) && leadsBack(a, b, here, address) && (passes?.(address, kind) ?? true)
    }
    if (a?.security_groups === undefined && b?.security_groups === undefined) return true
    return passes ?? true
  }
}

/** A local network ends at its host. */
function isLocal(network: Key | undefined, world: World): boolean {
  return network !== undefined && world.resources.get(network)?.spec['network_type'] === 'local'
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
  const attempt = attemptOf(direction, other, asked)
  return own.flatMap((g) => groups.rules.get(g) ?? []).some((rule) => ruleAllows(rule, attempt, (key) => groups.prefixes.get(key)))
}

/** Echo request and reply have no code but 0 (RFC 792, RFC 4443). */
function attemptOf(direction: GroupRule['direction'], other: Ip, { kind, port, answer }: Asked): Attempt {
  const ports = port === undefined ? {} : { port }
  if (kind === 'tcp') return { direction, other, protocol: 6, ...ports }
  if (kind === 'udp') return { direction, other, protocol: 17, ...ports }
  const [protocol, request, reply] = other.family === 4 ? [1, 8, 0] : [58, 128, 129]
  return { direction, other, protocol, icmp: { type: answer === true ? reply : request, code: 0 } }
}
