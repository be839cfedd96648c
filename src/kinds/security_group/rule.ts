import type { SecurityGroupDeclared } from '../../../schemas/security-group.ts'
import { canonicalPrefix } from '../../lib/cidr.ts'
import { protocolName } from '../../lib/ip-protocol.ts'
import type { Finding } from '../../model/issue.ts'
import { hasPorts, isIcmp, readProtocol } from './protocols.ts'
import type { Rule } from './spec.ts'

/** As the schema lets it through. */
export type WrittenRule = NonNullable<SecurityGroupDeclared['rules']>[number]

export interface NormalRule {
  readonly rule: Rule
  /** Paths inside the rule. */
  readonly findings: readonly Finding[]
}

/** The one normal form of a rule's many spellings, and what is wrong with it alone (Neutron: `securitygroups_db.py`, B3.12). */
export function normaliseRule(written: WrittenRule): NormalRule {
  const { direction, remote_group, remote_address_group, description } = written
  const ethertype = written.ethertype?.toLowerCase() === 'ipv6' ? 'IPv6' : 'IPv4'
  const findings: Finding[] = []
  const protocol = protocolOf(written, ethertype, findings)
  const ports = protocol === FAULTY ? {} : portsOf(written, protocol, findings)
  const prefix = prefixOf(written, ethertype, findings)
  findings.push(...remoteFindings(written))
  const rule: Rule = {
    direction,
    ethertype,
    ...(protocol === undefined || protocol === FAULTY ? {} : { protocol: protocolName(protocol) }),
    ...ports,
    ...(prefix === undefined ? {} : { remote_ip_prefix: prefix }),
    ...(remote_group === undefined ? {} : { remote_group }),
    ...(remote_address_group === undefined ? {} : { remote_address_group }),
    ...(description === undefined || description === '' ? {} : { description }),
  }
  return { rule, findings }
}

const FAULTY = 'faulty'

function protocolOf({ protocol }: WrittenRule, ethertype: 'IPv4' | 'IPv6', findings: Finding[]): number | undefined | typeof FAULTY {
  if (protocol === undefined) return undefined
  const read = readProtocol(protocol, ethertype)
  if ('number' in read) return read.number
  findings.push({ code: 'E0283', message: read.fault, at: ['protocol'], hint: read.hint })
  return FAULTY
}

type Ports = Pick<Rule, 'port_range_min' | 'port_range_max'>

function portsOf(written: WrittenRule, protocol: number | undefined, findings: Finding[]): Ports {
  const { port_range_min: min, port_range_max: max } = written
  if (min === undefined && max === undefined) return {}
  const at = [min === undefined ? 'port_range_max' : 'port_range_min']
  if (protocol === undefined) {
    findings.push({ code: 'E0284', message: 'ports are written without a protocol', at, hint: 'write protocol: tcp or udp' })
    return {}
  }
  if (hasPorts(protocol)) return portRange(min, max, findings)
  if (isIcmp(protocol)) return icmpRange(min, max, findings)
  const message = `protocol ${protocolName(protocol)} has no ports`
  findings.push({ code: 'E0284', message, at, hint: 'remove port_range_min and port_range_max' })
  return {}
}

const LAST_PORT = 65_535

/** All ports are no restriction: Neutron keeps that as none at all (LP#1848213), and so does this. */
function portRange(min: number | undefined, max: number | undefined, findings: Finding[]): Ports {
  if (min === undefined || max === undefined) {
    const written = min ?? max ?? 0
    const message = 'port_range_min and port_range_max go together'
    const hint = `write both: ${written} twice for that port alone`
    findings.push({ code: 'E0284', message, at: [min === undefined ? 'port_range_max' : 'port_range_min'], hint })
    return {}
  }
  const outside = (
    [
      ['port_range_min', min],
      ['port_range_max', max],
    ] as const
  ).filter(([, port]) => port < 1 || port > LAST_PORT)
  for (const [name, port] of outside)
    findings.push({
      code: 'E0284',
      message: `${name}: ${port} is no port`,
      at: [name],
      hint: `ports are 1 to ${LAST_PORT}; leave both out for all`,
    })
  if (outside.length > 0) return {}
  if (min > max) {
    const hint = `write port_range_min: ${max}, port_range_max: ${min}`
    findings.push({ code: 'E0284', message: `port_range_min ${min} is above port_range_max ${max}`, at: ['port_range_min'], hint })
  }
  return min === 1 && max === LAST_PORT ? {} : { port_range_min: min, port_range_max: max }
}

/** Neutron keeps the ICMP type in `port_range_min`, the code in `port_range_max`. */
function icmpRange(type: number | undefined, code: number | undefined, findings: Finding[]): Ports {
  const values = [
    ['port_range_min', 'type', type],
    ['port_range_max', 'code', code],
  ] as const
  for (const [name, what, value] of values) {
    if (value === undefined || (value >= 0 && value <= 255)) continue
    findings.push({
      code: 'E0284',
      message: `${name}: ${value} is no ICMP ${what}`,
      at: [name],
      hint: 'write 0 to 255, or leave it out for any',
    })
  }
  if (type === undefined) {
    const message = `the ICMP code ${code} is written without a type`
    findings.push({ code: 'E0284', message, at: ['port_range_max'], hint: 'write the type as port_range_min' })
  }
  return { ...(type === undefined ? {} : { port_range_min: type }), ...(code === undefined ? {} : { port_range_max: code }) }
}

/** The whole of a family is anybody. */
function prefixOf({ remote_ip_prefix: written }: WrittenRule, ethertype: 'IPv4' | 'IPv6', findings: Finding[]): string | undefined {
  if (written === undefined) return undefined
  const at = ['remote_ip_prefix']
  const prefix = canonicalPrefix(written)
  if (prefix === undefined) {
    const message = `remote_ip_prefix ${written} is no address and no prefix`
    findings.push({ code: 'E0285', message, at, hint: 'write it like 10.0.0.0/8 or fd00::/8' })
    return undefined
  }
  const family = prefix.includes(':') ? 'IPv6' : 'IPv4'
  if (family !== ethertype) {
    const message = `remote_ip_prefix ${written} is ${family}, and the rule is for ${ethertype}`
    findings.push({ code: 'E0285', message, at, hint: `write ethertype: ${family}, or a prefix of ${ethertype}` })
  }
  return prefix.endsWith('/0') ? undefined : prefix
}

const REMOTES = ['remote_ip_prefix', 'remote_group', 'remote_address_group'] as const

function remoteFindings(written: WrittenRule): readonly Finding[] {
  const [first, second] = REMOTES.filter((name) => written[name] !== undefined)
  if (first === undefined || second === undefined) return []
  const message = `a rule has one other side, and here are ${first} and ${second}`
  return [{ code: 'E0285', message, at: [second], hint: 'write two rules' }]
}
