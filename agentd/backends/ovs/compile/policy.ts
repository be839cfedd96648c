import { entryDigest } from '../../../../src/lib/digest.ts'
import { groupBy } from '../../../../src/lib/group-by.ts'
import { canonicalJson } from '../../../../src/lib/json.ts'
import { remoteOf } from '../../../../src/model/group-rule.ts'
import type {
  AddressesIntent,
  AttachIntent,
  GroupIntent,
  GroupRule,
  GroupRuleIntent,
  MemberIntent,
  PortLogIntent,
} from '../../../../src/model/intent.ts'
import { compareText, type Key } from '../../../../src/model/key.ts'

/** The rules of one set of security groups: ports with the same groups of which the same is logged share them, and all flows that they need. */
export interface Policy {
  /** Its groups by key, and what is logged: what tells it from all others on this host. */
  readonly name: string
  readonly groups: readonly Key[]
  /** Connections are tracked. */
  readonly stateful: boolean
  /** Each once, though several of its groups may have it; sorted. */
  readonly rules: readonly PolicyRule[]
  /** What of it is written down. Absent: nothing. */
  readonly logged?: Logged
}

export interface Logged {
  readonly accept: boolean
  readonly drop: boolean
  /** The logs that ask for it, sorted. */
  readonly logs: readonly Key[]
}

/** What of each port is logged. */
export type PortLogs = ReadonlyMap<Key, PortLogIntent>

export interface PolicyRule {
  readonly rule: GroupRule
  /** The rule as canonical JSON: rules are the same when this is. */
  readonly text: string
  /** The group that has it; of several the first. */
  readonly owner: Key
}

/** Those who are spoken of by name: the members of a group, or what an address group holds. */
export interface Remote {
  readonly key: Key
  /** Sorted, each once. */
  readonly prefixes: readonly string[]
  /** Of a group. */
  readonly members?: readonly MemberIntent[]
}

/** What a host was told of security groups. */
export interface Groups {
  readonly groups: ReadonlyMap<Key, GroupIntent>
  readonly rules: ReadonlyMap<Key, readonly GroupRuleIntent[]>
  readonly remotes: ReadonlyMap<Key, Remote>
}

/** The sets of groups that ports of this host have, sorted by name. */
export function policiesOf(attaches: readonly AttachIntent[], known: Groups, portLogs: PortLogs): ReadonlyMap<string, Policy> {
  const names = new Map<string, { readonly groups: readonly Key[]; readonly logged?: Logged }>()
  for (const attach of attaches) {
    const name = policyName(attach, { portLogs })
    const log = portLogs.get(attach.port)
    if (name === undefined || attach.security_groups === undefined) continue
    const logged = log === undefined ? undefined : withLogs(names.get(name)?.logged, log)
    names.set(name, { groups: attach.security_groups, ...(logged === undefined ? {} : { logged }) })
  }
  const sorted = [...names].sort(([a], [b]) => compareText(a, b))
  return new Map(sorted.map(([name, { groups, logged }]) => [name, policyOf(name, groups, known, logged)]))
}

function withLogs(before: Logged | undefined, { accept, drop }: PortLogIntent): Logged {
  const logs = new Set([...(before?.logs ?? []), ...accept, ...drop])
  return { accept: accept.length > 0, drop: drop.length > 0, logs: [...logs].sort(compareText) }
}

/** The set that a port is under; undefined: none. Ports of which something is logged have sets of their own, so that others pay nothing. */
export function policyName(
  { port, security_groups: groups }: Pick<AttachIntent, 'port' | 'security_groups'>,
  { portLogs }: { readonly portLogs: PortLogs },
): string | undefined {
  if (groups === undefined) return undefined
  const log = portLogs.get(port)
  if (log === undefined) return nameOf(groups)
  const events = [...(log?.accept.length ? ['accept'] : []), ...(log?.drop.length ? ['drop'] : [])]
  return [...groups, ...(events.length === 0 ? [] : [`log:${events.join('+')}`])].join(' ')
}

/** Of intents that have not changed. */
const NAMES: WeakMap<readonly Key[], string> = new WeakMap()

function nameOf(groups: readonly Key[]): string {
  const name = NAMES.get(groups) ?? groups.join(' ')
  NAMES.set(groups, name)
  return name
}

/** A group that nobody told of has no rules: nothing passes because of it. */
function policyOf(name: string, groups: readonly Key[], known: Groups, logged: Logged | undefined): Policy {
  const rules = new Map<string, PolicyRule>()
  for (const group of groups) {
    for (const { rule } of known.rules.get(group) ?? []) {
      const text = canonicalJson(rule)
      if (!rules.has(text)) rules.set(text, { rule, text, owner: group })
    }
  }
  return {
    name,
    groups,
    stateful: groups.every((g) => known.groups.get(g)?.stateful !== false),
    rules: [...rules.values()].sort((a, b) => compareText(a.text, b.text)),
    ...(logged === undefined ? {} : { logged }),
  }
}

/** The port's connections are kept, in a zone of its own. */
export function isTracked(
  attach: Pick<AttachIntent, 'port' | 'security_groups'>,
  view: { readonly policies: ReadonlyMap<string, Policy>; readonly portLogs: PortLogs },
): boolean {
  return view.policies.get(policyName(attach, view) ?? '')?.stateful === true && attach.security_groups !== undefined
}

export function groupsOf(
  groups: readonly GroupIntent[],
  rules: readonly GroupRuleIntent[],
  members: readonly MemberIntent[],
  addresses: readonly AddressesIntent[],
): Groups {
  const held = groupBy([...members, ...addresses], (i) => (i.type === 'member' ? i.group : i.addresses))
  const remotes = [...held].map(([key, all]): [Key, Remote] => [
    key,
    {
      key,
      prefixes: [...new Set(all.flatMap((i) => i.prefixes))].sort(compareText),
      ...(all[0]?.type === 'member' ? { members: all.filter((i) => i.type === 'member') } : {}),
    },
  ])
  return { groups: new Map(groups.map((g) => [g.group, g])), rules: groupBy(rules, (r) => r.group), remotes: new Map(remotes) }
}

/** One conjunction for each policy, direction and remote: its rules about that remote are alternatives. Where it is logged which of them it was, each has its own. */
export function conjunctionName({ name, logged }: Policy, { rule: { direction }, text }: PolicyRule, remote: Key): string {
  const shared = `${direction} ${remote} ${name}`
  return logged?.accept === true ? `${shared} ${digestText(text)}` : shared
}

/** Every conjunction that these policies need. */
export function conjunctionNames(policies: Iterable<Policy>): readonly string[] {
  const out = new Set<string>()
  for (const policy of policies) {
    for (const each of policy.rules) {
      const remote = remoteOf(each.rule)
      if (remote !== undefined) out.add(conjunctionName(policy, each, remote))
    }
  }
  return [...out]
}

/** What a logged rule is called in the pool of numbers. */
export function loggedRuleName({ owner, text }: PolicyRule): string {
  return `${owner} ${digestText(text)}`
}

/** Every rule that is to be told from the others when it lets something pass, by name. */
export function loggedRules(policies: Iterable<Policy>): ReadonlyMap<string, PolicyRule> {
  const out = new Map<string, PolicyRule>()
  for (const { logged, rules } of policies) if (logged?.accept === true) for (const each of rules) out.set(loggedRuleName(each), each)
  return out
}

function digestText(text: string): string {
  return entryDigest('', text)
}
