import { prefixContains } from '../lib/cidr.ts'
import type { Ip } from '../lib/ip.ts'
import type { GroupRemote, GroupRule } from './intent.ts'
import type { Key } from './key.ts'

/** What a rule is asked about: a connection as it begins, or a frame, as seen from the port that has the rule. */
export interface Attempt {
  readonly direction: GroupRule['direction']
  /** Whom the port speaks to, or is spoken to by. */
  readonly other: Ip
  /** IP protocol number. */
  readonly protocol: number
  /** Destination port. Absent: none, or not known; no rule about ports fits. */
  readonly port?: number
  readonly icmp?: { readonly type: number; readonly code: number }
}

/** Whether a rule lets it pass. `prefixesOf`: the members of a group, or what an address group holds; undefined for one that nobody told of, which is nobody. */
export function ruleAllows(rule: GroupRule, attempt: Attempt, prefixesOf: (remote: Key) => readonly string[] | undefined): boolean {
  const { direction, other, protocol, port, icmp } = attempt
  if (rule.direction !== direction || rule.ethertype !== (other.family === 4 ? 'IPv4' : 'IPv6')) return false
  if (rule.protocol !== undefined && rule.protocol !== protocol) return false
  if (rule.ports !== undefined && (port === undefined || port < rule.ports.first || port > rule.ports.last)) return false
  if (rule.icmp !== undefined) {
    if (icmp?.type !== rule.icmp.type) return false
    if (rule.icmp.code !== undefined && rule.icmp.code !== icmp.code) return false
  }
  const { remote } = rule
  if (remote === undefined) return true
  if ('prefix' in remote) return prefixContains(remote.prefix, other)
  return prefixesOf(namedIn(remote))?.some((prefix) => prefixContains(prefix, other)) === true
}

/** The group or address group that a rule speaks of. */
export function remoteOf({ remote }: GroupRule): Key | undefined {
  return remote === undefined || 'prefix' in remote ? undefined : namedIn(remote)
}

function namedIn(remote: Exclude<GroupRemote, { readonly prefix: string }>): Key {
  return 'group' in remote ? remote.group : remote.addresses
}
