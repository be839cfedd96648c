import { protocolName } from '../lib/ip-protocol.ts'
import type { GroupRule } from './intent.ts'
import { type Key, keyParts } from './key.ts'

/** What a rule allows, as people say it: `tcp 5432 from group web`. Of one direction and IP version no two rules of a group have the same words. Names of its own project stand alone. */
export function ruleWords({ direction, protocol, ports, icmp, remote }: GroupRule, group: Key): string {
  const { project } = keyParts(group)
  const side = direction === 'ingress' ? 'from' : 'to'
  const about = ports === undefined ? icmpWords(icmp) : ports.first === ports.last ? ` ${ports.first}` : ` ${ports.first}-${ports.last}`
  return `${protocol === undefined ? 'any' : protocolName(protocol)}${about} ${side} ${remoteWords(remote, project)}`
}

function icmpWords(icmp: GroupRule['icmp']): string {
  if (icmp === undefined) return ''
  return icmp.code === undefined ? ` type ${icmp.type}` : ` type ${icmp.type} code ${icmp.code}`
}

function remoteWords(remote: GroupRule['remote'], project: string): string {
  if (remote === undefined) return 'anybody'
  if ('prefix' in remote) return remote.prefix
  return 'group' in remote ? `group ${nameIn(remote.group, project)}` : `address group ${nameIn(remote.addresses, project)}`
}

/** A resource as it is called within a project: its name, or project/name. */
export function nameIn(key: Key, project: string): string {
  const { project: own, name } = keyParts(key)
  return own === project ? name : `${own}/${name}`
}
