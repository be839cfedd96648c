import type { QosPolicyDeclared } from '../../../schemas/qos_policy.ts'
import type { Finding } from '../../model/issue.ts'
import { DSCP_MARKS, type QosRule } from './spec.ts'

export type WrittenRule = NonNullable<QosPolicyDeclared['rules']>[number]
type RuleType = WrittenRule['type']
type Attribute = Exclude<keyof WrittenRule, 'type'>

/** What a rule of each type takes: the first is required. */
const ATTRIBUTES: Readonly<Record<RuleType, readonly [Attribute, ...Attribute[]]>> = {
  bandwidth_limit: ['max_kbps', 'max_burst_kbps', 'direction'],
  packet_rate_limit: ['max_kpps', 'max_burst_kpps', 'direction'],
  dscp_marking: ['dscp_mark'],
  minimum_bandwidth: ['min_kbps', 'direction'],
  minimum_packet_rate: ['min_kpps', 'direction'],
}

/** What is wrong with a rule by itself, with paths inside the rule. */
export function ruleFindings(rule: WrittenRule): readonly Finding[] {
  if (rule.type === 'minimum_bandwidth' || rule.type === 'minimum_packet_rate') return [unkept(rule.type)]
  return [...shapeFindings(rule), ...valueFindings(rule)]
}

/** Neutron keeps a minimum by the placement of guests and by queues of hardware; nothing of either is here. */
function unkept(type: 'minimum_bandwidth' | 'minimum_packet_rate'): Finding {
  const limit = type === 'minimum_bandwidth' ? 'bandwidth_limit' : 'packet_rate_limit'
  return {
    code: 'E1004',
    message: `${type} cannot be kept: switches here can hold ports back, and cannot set aside what others take`,
    at: ['type'],
    hint: `give the other ports a ${limit}, and remove this rule`,
  }
}

function shapeFindings(rule: WrittenRule): Finding[] {
  const { type } = rule
  const [required, ...optional] = ATTRIBUTES[type]
  const findings: Finding[] = []
  if (rule[required] === undefined) {
    const hint = `write ${required}: …`
    findings.push({ code: 'E1001', message: `a ${type} rule has no ${required}`, at: ['type'], hint })
  }
  const known: readonly string[] = ['type', required, ...optional]
  for (const name of Object.keys(rule)) {
    if (known.includes(name)) continue
    const message = `a ${type} rule has no attribute ${name}; it has ${known.slice(1).join(', ')}`
    findings.push({ code: 'E1001', message, at: [name], hint: `remove ${name}, or write it into a rule of the type that it is for` })
  }
  if (rule.direction === 'any' && known.includes('direction')) {
    const message = `direction any is for minimum_packet_rate, not for ${type}`
    findings.push({ code: 'E1001', message, at: ['direction'], hint: 'write two rules, one for egress and one for ingress' })
  }
  return findings
}

function valueFindings({ type, max_kbps, max_kpps, dscp_mark }: WrittenRule): Finding[] {
  const findings: Finding[] = []
  const rates = type === 'bandwidth_limit' ? { max_kbps } : type === 'packet_rate_limit' ? { max_kpps } : {}
  for (const [name, rate] of Object.entries(rates)) {
    if (rate !== 0) continue
    const message = `${name}: 0 would let nothing pass, and Neutron takes it for no limit`
    findings.push({ code: 'E1002', message, at: [name], hint: 'remove the rule for no limit, or write at least 1' })
  }
  if (type === 'dscp_marking' && dscp_mark !== undefined && !DSCP_MARKS.includes(dscp_mark)) {
    const message = `dscp_mark ${dscp_mark} is no mark; there are ${DSCP_MARKS.join(', ')}`
    findings.push({ code: 'E1003', message, at: ['dscp_mark'], hint: `write one of these, such as ${nearestMark(dscp_mark)}` })
  }
  return findings
}

function nearestMark(mark: number): number {
  return DSCP_MARKS.reduce((best, one) => (Math.abs(one - mark) < Math.abs(best - mark) ? one : best))
}

/** What is left out and what is written as Neutron writes "left out" are the same. */
export function normalRule(rule: WrittenRule): WrittenRule {
  const { max_burst_kbps, max_burst_kpps, ...rest } = rule
  return {
    ...(ATTRIBUTES[rule.type].includes('direction') ? { direction: 'egress' as const } : {}),
    ...rest,
    ...(max_burst_kbps === undefined || max_burst_kbps === 0 ? {} : { max_burst_kbps }),
    ...(max_burst_kpps === undefined || max_burst_kpps === 0 ? {} : { max_burst_kpps }),
  }
}

/** A policy has one rule of each type, and where the type has directions one for each (Neutron: B3.16). */
export function ruleIdentity({ type, direction }: WrittenRule): string {
  return ATTRIBUTES[type].includes('direction') ? `${type} ${direction ?? 'egress'}` : type
}

/** Neutron's `DEFAULT_BURST_RATE`: what may come at once where nobody says. */
const DEFAULT_BURST = 0.8

/** The rule with what was left out; undefined for one that `ruleFindings` refuses. */
export function resolveRule(rule: WrittenRule): QosRule | undefined {
  const { type, max_kbps, max_burst_kbps, max_kpps, max_burst_kpps, dscp_mark } = rule
  const direction = rule.direction === 'ingress' ? 'ingress' : 'egress'
  if (type === 'bandwidth_limit' && max_kbps !== undefined)
    return { type, direction, max_kbps, max_burst_kbps: burstOf(max_kbps, max_burst_kbps) }
  if (type === 'packet_rate_limit' && max_kpps !== undefined)
    return { type, direction, max_kpps, max_burst_kpps: burstOf(max_kpps, max_burst_kpps) }
  return type === 'dscp_marking' && dscp_mark !== undefined ? { type, dscp_mark } : undefined
}

function burstOf(rate: number, written: number | undefined): number {
  return written === undefined || written === 0 ? Math.max(1, Math.floor(rate * DEFAULT_BURST)) : written
}
