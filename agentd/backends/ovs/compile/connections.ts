import { prefixContains } from '../../../../src/lib/cidr.ts'
import { formatIp, type Ip, isMulticastIp, parseIp } from '../../../../src/lib/ip.ts'
import { linkLocalAddress } from '../../../../src/lib/mac.ts'
import { type Attempt, remoteOf, ruleAllows } from '../../../../src/model/group-rule.ts'
import { type AttachIntent, domainOf } from '../../../../src/model/intent.ts'
import type { Key } from '../../../../src/model/key.ts'
import type { AllocationTable } from '../../backend.ts'
import type { Numbers } from './numbers.ts'
import { isTracked, type Policy, policyName, type Remote } from './policy.ts'
import type { HostView } from './view.ts'

/** What the connections of one port are judged by: its flows judge each frame, this judges what is kept between frames. */
export interface Judge {
  readonly zone: number
  readonly port: Key
  /** As `domainOf` names it: connections are of one network. */
  readonly network: string
  /** Prefixes that are the port's own. */
  readonly own: readonly string[]
  readonly policy: Policy
  readonly remotes: ReadonlyMap<Key, Remote>
}

/** A connection as it was begun. Ports are 0 where the protocol has none. `begun` absent: its mark does not say. */
export interface Connection {
  readonly zone: number
  readonly protocol: number
  readonly src: string
  readonly dst: string
  readonly sport: number
  readonly dport: number
  readonly icmp?: { readonly type: number; readonly code: number; readonly id: number }
  readonly begun?: Attempt['direction']
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
    const policy = view.policies.get(policyName(attach, view) ?? '')
    if (policy === undefined || !isTracked(attach, view)) return []
    return [
      {
        zone: numbers.of('zone', attach.port),
        port: attach.port,
        network: domainOf(attach),
        own: ownPrefixes(attach),
        policy,
        remotes: view.remotes,
      },
    ]
  })
}

/** Of intents that have not changed. */
const OWN: WeakMap<AttachIntent, readonly string[]> = new WeakMap()

function ownPrefixes(attach: AttachIntent): readonly string[] {
  const known = OWN.get(attach) ?? prefixesOf(attach)
  OWN.set(attach, known)
  return known
}

function prefixesOf({ mac, allowed }: AttachIntent): readonly string[] {
  const macs = new Set([mac, ...allowed.map((a) => a.mac)])
  return [...allowed.map((a) => a.prefix), ...[...macs].map((m) => `${formatIp(6, linkLocalAddress(m))}/128`)]
}

/** Whether a connection that was let in before would be let in now. */
export function isAllowed(judge: Judge, connection: Connection): boolean {
  const src = parseIp(connection.src)
  const dst = parseIp(connection.dst)
  if (src === undefined || dst === undefined) return false
  const isOwn = (ip: Ip): boolean => judge.own.some((prefix) => prefixContains(prefix, ip))
  const fits = { egress: isOwn(src), ingress: isOwn(dst) || isForMany(dst) }
  const direction = connection.begun ?? (fits.egress ? 'egress' : 'ingress')
  if (!fits[direction]) return false
  const { protocol, dport: port, icmp } = connection
  const attempt: Attempt = { direction, other: direction === 'egress' ? dst : src, protocol, port, ...(icmp && { icmp }) }
  return judge.policy.rules.some(({ rule }) => ruleAllows(rule, attempt, (key) => judge.remotes.get(key)?.prefixes))
}

/** Multicast, and what may be the broadcast address of a subnet. */
function isForMany(ip: Ip): boolean {
  return isMulticastIp(ip) || (ip.family === 4 && (ip.value & 1n) === 1n)
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
  const rules = new Set(after.policy.rules.map(({ text }) => text))
  const grew = before.policy.rules.every(({ rule, text }) => {
    const remote = remoteOf(rule)
    if (!rules.has(text)) return false
    return remote === undefined || includesAll(after.remotes.get(remote)?.prefixes ?? [], before.remotes.get(remote)?.prefixes ?? [])
  })
  GREW.set(after.policy, { before, grew })
  return grew
}

function includesAll(all: readonly string[], some: readonly string[]): boolean {
  if (all === some || some.length === 0) return true
  const set = new Set(all)
  return some.every((s) => set.has(s))
}
