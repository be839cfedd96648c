import { type Cidr, cidrContains, parseCidr } from '../../../../src/lib/cidr.ts'
import { formatIp, type Ip, isMulticastIp, parseIp } from '../../../../src/lib/ip.ts'
import { linkLocalAddress } from '../../../../src/lib/mac.ts'
import type { AttachIntent, GroupRule } from '../../../../src/model/intent.ts'
import type { Key } from '../../../../src/model/key.ts'
import type { AllocationTable } from '../../backend.ts'
import type { Numbers } from './numbers.ts'
import { isTracked, type Policy, policyName, type Remote, remoteOf } from './policy.ts'
import type { HostView } from './view.ts'

/** What the connections of one port are judged by: its flows judge each frame, this judges what is kept between frames. */
export interface Judge {
  readonly zone: number
  readonly port: Key
  /** Prefixes that are the port's own. */
  readonly own: readonly string[]
  readonly policy: Policy
  readonly remotes: ReadonlyMap<Key, Remote>
}

/** A connection as it was begun. Ports are 0 where the protocol has none. */
export interface Connection {
  readonly zone: number
  readonly protocol: number
  readonly src: string
  readonly dst: string
  readonly sport: number
  readonly dport: number
  readonly icmp?: { readonly type: number; readonly code: number; readonly id: number }
}

/** What a driver needs to end connections. */
export interface Connections {
  readonly judges: readonly Judge[]
  /** Zones that ports had which are gone. */
  readonly freed: readonly number[]
}

export function connectionsOf(view: HostView, numbers: Numbers, allocations: AllocationTable): Connections {
  return { judges: judgesOf(view, numbers), freed: Object.values(allocations['zone/freed'] ?? {}) }
}

/** A judge for each port here whose connections are tracked. */
function judgesOf(view: HostView, numbers: Numbers): readonly Judge[] {
  return view.attaches.flatMap((attach) => {
    const policy = view.policies.get(policyName(attach.security_groups ?? []))
    if (policy === undefined || !isTracked(attach, view)) return []
    return [{ zone: numbers.of('zone', attach.port), port: attach.port, own: ownPrefixes(attach), policy, remotes: view.remotes }]
  })
}

function ownPrefixes({ mac, allowed }: AttachIntent): readonly string[] {
  const macs = new Set([mac, ...allowed.map((a) => a.mac)])
  return [...allowed.map((a) => a.prefix), ...[...macs].map((m) => `${formatIp(6, linkLocalAddress(m))}/128`)]
}

/** Whether a connection that was let in before would be let in now. */
export function isAllowed(judge: Judge, connection: Connection): boolean {
  const src = parseIp(connection.src)
  const dst = parseIp(connection.dst)
  if (src === undefined || dst === undefined) return false
  const own = judge.own.flatMap((prefix) => parseCidr(prefix)?.cidr ?? [])
  const isOwn = (ip: Ip): boolean => own.some((cidr) => contains(cidr, ip))
  const direction = isOwn(src) ? 'egress' : isOwn(dst) || isForMany(dst) ? 'ingress' : undefined
  if (direction === undefined) return false
  const other = direction === 'egress' ? dst : src
  return judge.policy.rules.some(({ rule }) => rule.direction === direction && fits(rule, connection, other, judge.remotes))
}

/** Multicast, and what may be the broadcast address of a subnet. */
function isForMany(ip: Ip): boolean {
  return isMulticastIp(ip) || (ip.family === 4 && (ip.value & 1n) === 1n)
}

function fits(rule: GroupRule, connection: Connection, other: Ip, remotes: ReadonlyMap<Key, Remote>): boolean {
  if (rule.ethertype !== (other.family === 4 ? 'IPv4' : 'IPv6')) return false
  if (rule.protocol !== undefined && rule.protocol !== connection.protocol) return false
  if (rule.ports !== undefined && (connection.dport < rule.ports.first || connection.dport > rule.ports.last)) return false
  if (rule.icmp !== undefined) {
    if (connection.icmp?.type !== rule.icmp.type) return false
    if (rule.icmp.code !== undefined && connection.icmp.code !== rule.icmp.code) return false
  }
  return isOther(rule, other, remotes)
}

function isOther(rule: GroupRule, other: Ip, remotes: ReadonlyMap<Key, Remote>): boolean {
  const { remote } = rule
  if (remote === undefined) return true
  const prefixes = 'prefix' in remote ? [remote.prefix] : (remotes.get(remoteOf(rule) ?? NOBODY)?.prefixes ?? [])
  return prefixes.some((prefix) => {
    const cidr = parseCidr(prefix)?.cidr
    return cidr !== undefined && contains(cidr, other)
  })
}

const NOBODY = '' as Key

function contains(cidr: Cidr, ip: Ip): boolean {
  return cidr.family === ip.family && cidrContains(cidr, ip)
}

/** True when everything that `before` allowed is allowed by `after` as well: nothing has to be looked for. */
export function onlyGrew(before: Judge, after: Judge): boolean {
  return includesAll(after.own, before.own) && policyGrew(before, after)
}

/** Ports with the same groups share their policy: the answer is remembered by it. */
const GREW: WeakMap<Policy, { readonly before: Judge; readonly grew: boolean }> = new WeakMap()

function policyGrew(before: Judge, after: Judge): boolean {
  const known = GREW.get(after.policy)
  if (known?.before.policy === before.policy && known.before.remotes === before.remotes) return known.grew
  const rules = new Set(after.policy.rules.map(({ rule }) => JSON.stringify(rule)))
  const grew = before.policy.rules.every(({ rule }) => {
    const remote = remoteOf(rule)
    if (!rules.has(JSON.stringify(rule))) return false
    return remote === undefined || includesAll(after.remotes.get(remote)?.prefixes ?? [], before.remotes.get(remote)?.prefixes ?? [])
  })
  GREW.set(after.policy, { before, grew })
  return grew
}

function includesAll(all: readonly string[], some: readonly string[]): boolean {
  if (some.length === 0) return true
  const set = new Set(all)
  return some.every((s) => set.has(s))
}
