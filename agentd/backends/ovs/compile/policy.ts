import { canonicalJson } from '../../../../src/lib/json.ts'
import type { AddressesIntent, AttachIntent, GroupIntent, GroupRule, GroupRuleIntent, MemberIntent } from '../../../../src/model/intent.ts'
import { compareText, type Key } from '../../../../src/model/key.ts'

/** The rules of one set of security groups: ports with the same groups share them, and all flows that they need. */
export interface Policy {
  /** Its groups by key: what tells it from all others on this host. */
  readonly name: string
  readonly groups: readonly Key[]
  /** Connections are tracked. */
  readonly stateful: boolean
  /** Each once, though several of its groups may have it; sorted. */
  readonly rules: readonly PolicyRule[]
}

export interface PolicyRule {
  readonly rule: GroupRule
  /** The group that has it; of several the first. */
  readonly owner: Key
}

/** Those who are spoken of by name: the members of a group, or what an address group holds. */
export interface Remote {
  readonly key: Key
  /** Sorted, each once. */
  readonly prefixes: readonly string[]
}

/** What a host was told of security groups. */
export interface Groups {
  readonly groups: ReadonlyMap<Key, GroupIntent>
  readonly rules: ReadonlyMap<Key, readonly GroupRuleIntent[]>
  readonly remotes: ReadonlyMap<Key, Remote>
}

/** The sets of groups that ports of this host have, sorted by name. */
export function policiesOf(attaches: readonly AttachIntent[], known: Groups): ReadonlyMap<string, Policy> {
  const names = new Map<string, readonly Key[]>()
  for (const { security_groups: groups } of attaches) if (groups !== undefined) names.set(policyName(groups), groups)
  return new Map([...names].sort(([a], [b]) => compareText(a, b)).map(([name, groups]) => [name, policyOf(name, groups, known)]))
}

export function policyName(groups: readonly Key[]): string {
  return groups.join(' ')
}

/** A group that nobody told of has no rules: nothing passes because of it. */
function policyOf(name: string, groups: readonly Key[], known: Groups): Policy {
  const rules = new Map<string, PolicyRule>()
  for (const group of groups) {
    for (const { rule } of known.rules.get(group) ?? []) {
      const text = canonicalJson(rule)
      if (!rules.has(text)) rules.set(text, { rule, owner: group })
    }
  }
  return {
    name,
    groups,
    stateful: groups.every((g) => known.groups.get(g)?.stateful !== false),
    rules: [...rules].sort(([a], [b]) => compareText(a, b)).map(([, rule]) => rule),
  }
}

/** The port's connections are kept, in a zone of its own. */
export function isTracked(
  { security_groups: groups }: Pick<AttachIntent, 'security_groups'>,
  { policies }: { readonly policies: ReadonlyMap<string, Policy> },
): boolean {
  return groups !== undefined && policies.get(policyName(groups))?.stateful === true
}

export function groupsOf(
  groups: readonly GroupIntent[],
  rules: readonly GroupRuleIntent[],
  members: readonly MemberIntent[],
  addresses: readonly AddressesIntent[],
): Groups {
  const byGroup = new Map<Key, GroupRuleIntent[]>()
  for (const rule of rules) push(byGroup, rule.group, rule)
  const prefixes = new Map<Key, string[]>()
  for (const { group, prefixes: own } of members) push(prefixes, group, ...own)
  for (const { addresses: key, prefixes: own } of addresses) push(prefixes, key, ...own)
  const remotes = [...prefixes].map(([key, all]): [Key, Remote] => [key, { key, prefixes: [...new Set(all)].sort(compareText) }])
  return { groups: new Map(groups.map((g) => [g.group, g])), rules: byGroup, remotes: new Map(remotes) }
}

function push<V>(map: Map<Key, V[]>, key: Key, ...values: readonly V[]): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [...values])
  else known.push(...values)
}

/** The group or address group that a rule speaks of. */
export function remoteOf({ remote }: GroupRule): Key | undefined {
  if (remote === undefined || 'prefix' in remote) return undefined
  return 'group' in remote ? remote.group : remote.addresses
}

/** One conjunction for each policy, direction and remote: its rules about that remote are alternatives. */
export function conjunctionName({ name }: Policy, direction: GroupRule['direction'], remote: Key): string {
  return `${direction} ${remote} ${name}`
}

/** Every conjunction that these policies need. */
export function conjunctionNames(policies: Iterable<Policy>): readonly string[] {
  const out = new Set<string>()
  for (const policy of policies) {
    for (const { rule } of policy.rules) {
      const remote = remoteOf(rule)
      if (remote !== undefined) out.add(conjunctionName(policy, rule.direction, remote))
    }
  }
  return [...out]
}
