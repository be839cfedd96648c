import { remoteOf } from '../../../../src/model/group-rule.ts'
import type { GroupRule } from '../../../../src/model/intent.ts'
import { compareText, type Key } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import { formatMatch } from '../flow/format-match.ts'
import type { Action, Match } from '../flow/types.ts'
import { type FlowSpec, flowItem, goto, set } from './build.ts'
import { cookieOf } from './cookie.ts'
import type { Numbers } from './numbers.ts'
import { conjunctionName, loggedRuleName, type Policy, type PolicyRule } from './policy.ts'
import { portMasks } from './port-masks.ts'
import { IP, IPV6, prefixMatch } from './words.ts'

export type Direction = GroupRule['direction']
export const DIRECTIONS: readonly Direction[] = ['egress', 'ingress']

/** Above clauses: who is let through by address or by nobody in particular needs no second look. */
const DIRECT = 60
export const CLAUSE = 50

/** Flows for the rules of one set of groups, whichever ports are under them. */
export function policyItems(policy: Policy, numbers: Numbers): readonly Item[] {
  return DIRECTIONS.flatMap((direction) => [...directItems(policy, direction, numbers), ...clauseItems(policy, direction, numbers)])
}

/** Rules about anybody, or about a prefix: one flow for each block of ports. */
function directItems(policy: Policy, direction: Direction, numbers: Numbers): Item[] {
  const registers = { rules: numbers.of('rules', policy.name) }
  const out: Item[] = []
  for (const each of policy.rules) {
    const { rule, owner } = each
    if (rule.direction !== direction || remoteOf(rule) !== undefined) continue
    for (const match of ruleMatches(rule)) {
      out.push(
        flowItem({
          ...common(owner),
          table: `${direction}_rules`,
          priority: DIRECT,
          registers,
          match,
          actions: accepts(policy, each, numbers),
        }),
      )
    }
  }
  return out
}

/**
 * Rules about members of a group: a conjunction of "the other side is one of them" (`remoteItems`, shared by all) and "this is what the rule is about". Several rules about one group
 * are alternatives within one conjunction, unless it is logged which of them it was.
 */
function clauseItems(policy: Policy, direction: Direction, numbers: Numbers): Item[] {
  const registers = { rules: numbers.of('rules', policy.name) }
  const clauses = new Map<string, { readonly match: Match; readonly ids: Set<number>; readonly owners: Set<Key> }>()
  const ids = new Map<number, PolicyRule>()
  for (const each of policy.rules) {
    const { rule, owner } = each
    const remote = remoteOf(rule)
    if (rule.direction !== direction || remote === undefined) continue
    const id = numbers.of('conjunction', conjunctionName(policy, each, remote))
    if (!ids.has(id)) ids.set(id, each)
    for (const match of ruleMatches(rule)) {
      const text = formatMatch(match)
      const clause = clauses.get(text) ?? { match, ids: new Set(), owners: new Set() }
      clauses.set(text, clause)
      clause.ids.add(id)
      clause.owners.add(owner)
    }
  }
  return [
    ...[...clauses.values()].map(({ match, ids: of, owners }) => {
      const all = [...owners].sort(compareText)
      return flowItem({
        cookie: cookieOf(all[0] ?? policy.groups[0] ?? NOBODY),
        owners: all,
        table: `${direction}_rules`,
        priority: CLAUSE,
        registers,
        match,
        actions: conjunctions(of, 2),
      })
    }),
    ...[...ids].map(([id, each]) =>
      flowItem({
        ...common(each.owner),
        table: `${direction}_rules`,
        priority: CLAUSE,
        match: { conj_id: { value: BigInt(id) } },
        actions: accepts(policy, each, numbers),
      }),
    ),
  ]
}

/** What the rule allows goes on; where that is logged, with the number of the rule. */
function accepts({ logged }: Policy, each: PolicyRule, numbers: Numbers): readonly Action[] {
  const onward = goto(`${each.rule.direction}_accept`)
  return logged?.accept === true ? [set('rule', numbers.of('rule', loggedRuleName(each))), onward] : [onward]
}

export const NOBODY: Key = '' as Key

export function conjunctions(ids: ReadonlySet<number>, clause: number): readonly Action[] {
  return [...ids].sort((a, b) => a - b).map((id) => ({ kind: 'conjunction', id, clause, clauses: 2 }))
}

function common(owner: Key): Pick<FlowSpec, 'cookie' | 'owners'> {
  return { cookie: cookieOf(owner), owners: [owner] }
}

/** The other side of a frame by its address: who is spoken to on the way out, who speaks on the way in. */
export function otherSide(direction: Direction, prefix: string): Match {
  const { family, field } = prefixMatch(prefix)
  const base = family === 4 ? IP : IPV6
  if (field === undefined) return base
  if (family === 4) return { ...base, [direction === 'egress' ? 'ip_dst' : 'ip_src']: field }
  return { ...base, [direction === 'egress' ? 'ipv6_dst' : 'ipv6_src']: field }
}

/** What a rule is about, without who is on the other side where that is a group: one match for each block of ports. None: Open vSwitch cannot look at it. */
function ruleMatches(rule: GroupRule): readonly Match[] {
  const { ethertype, protocol, ports, icmp, remote } = rule
  const base = ethertype === 'IPv4' ? IP : IPV6
  const sided = remote !== undefined && 'prefix' in remote ? otherSide(rule.direction, remote.prefix) : base
  if (protocol === undefined) return [sided]
  const match: Match = { ...sided, ip_proto: { value: BigInt(protocol) } }
  if (icmp !== undefined) return [{ ...match, ...icmpMatch(ethertype, icmp) }]
  if (ports === undefined) return [match]
  const field = PORT_FIELDS.get(protocol)
  return field === undefined ? [] : portMasks(ports.first, ports.last).map((value) => ({ ...match, [field]: value }))
}

/** Protocols whose ports Open vSwitch looks at. */
const PORT_FIELDS: ReadonlyMap<number, 'tcp_dst' | 'udp_dst' | 'sctp_dst'> = new Map([
  [6, 'tcp_dst'],
  [17, 'udp_dst'],
  [132, 'sctp_dst'],
])

function icmpMatch(ethertype: GroupRule['ethertype'], { type, code }: { readonly type: number; readonly code?: number }): Match {
  const [typeField, codeField] = ethertype === 'IPv4' ? (['icmp_type', 'icmp_code'] as const) : (['icmpv6_type', 'icmpv6_code'] as const)
  return { [typeField]: { value: BigInt(type) }, ...(code === undefined ? {} : { [codeField]: { value: BigInt(code) } }) }
}
