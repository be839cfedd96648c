import { entryDigest } from '../../lib/digest.ts'
import type { GroupIntent, GroupRemote, GroupRule, GroupRuleIntent } from '../../model/intent.ts'
import { namedKey } from '../../model/key.ts'
import type { Resource } from '../../model/resource.ts'
import { addressesScope, groupScope, intentKey, membersScope, type Scope } from '../../model/scope.ts'
import type { Lowered } from '../kind.ts'
import { isIcmp, protocolNumber } from './protocols.ts'
import type { Rule, SecurityGroupSpec } from './spec.ts'

/** The group and each of its rules; which hosts need them is for ports to say. */
export function lowerSecurityGroup({ key, project, spec }: Resource<SecurityGroupSpec>): Lowered {
  const scope = groupScope(key)
  const group: GroupIntent = { group: key, stateful: spec.stateful, type: 'group' }
  const rules = spec.rules.map((written) => {
    const rule = lowerRule(written, project)
    const intent: GroupRuleIntent = { group: key, rule, type: 'group_rule' }
    // By its content: a rule more or less leaves the others what they were, wherever it is written.
    return { scope, key: intentKey('group_rule', entryDigest('', rule)), intent }
  })
  return { intents: [{ scope, key: intentKey('group', key), intent: group }, ...rules], needs: [] }
}

/** A rule of a group of that project, in normal form, as the data plane has it. */
export function lowerRule(rule: Rule, project: string): GroupRule {
  const protocol = rule.protocol === undefined ? undefined : protocolNumber(rule.protocol)
  const remote = remoteOf(rule, project)
  return {
    direction: rule.direction,
    ethertype: rule.ethertype,
    ...matchOf(rule, protocol),
    ...(protocol === undefined ? {} : { protocol }),
    ...(remote === undefined ? {} : { remote }),
  }
}

function matchOf({ port_range_min: min, port_range_max: max }: Rule, protocol: number | undefined): Pick<GroupRule, 'ports' | 'icmp'> {
  if (min === undefined || protocol === undefined) return {}
  if (isIcmp(protocol)) return { icmp: { ...(max === undefined ? {} : { code: max }), type: min } }
  return { ports: { first: min, last: max ?? min } }
}

/** Scopes of all whom its rules are about, sorted, each once. */
export function remoteScopes({ project, spec }: Resource<SecurityGroupSpec>): readonly Scope[] {
  const scopes = spec.rules.flatMap((rule) => {
    const remote = remoteOf(rule, project)
    if (remote === undefined || 'prefix' in remote) return []
    return ['group' in remote ? membersScope(remote.group) : addressesScope(remote.addresses)]
  })
  return [...new Set(scopes)].sort()
}

/** The other side of a rule of a group of that project, names as keys. */
function remoteOf(rule: Rule, project: string): GroupRemote | undefined {
  if (rule.remote_ip_prefix !== undefined) return { prefix: rule.remote_ip_prefix }
  if (rule.remote_group !== undefined) return { group: namedKey('security_group', project, rule.remote_group) }
  return rule.remote_address_group === undefined ? undefined : { addresses: namedKey('address_group', project, rule.remote_address_group) }
}
