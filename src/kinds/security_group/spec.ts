/** A resolved security group. */
export type SecurityGroupSpec = {
  readonly stateful: boolean
  /** What the site's template brings is among the rules. */
  readonly default_rules: boolean
  /** All that hold, in normal form, sorted. */
  readonly rules: readonly Rule[]
  readonly description: string
}

/** A rule in normal form (Neutron's words). What is left out is any. */
export type Rule = {
  readonly direction: 'ingress' | 'egress'
  readonly ethertype: 'IPv4' | 'IPv6'
  /** The name where there is one, else the number. */
  readonly protocol?: string | number
  readonly port_range_min?: number
  readonly port_range_max?: number
  readonly remote_ip_prefix?: string
  /** As written: name or project/name. */
  readonly remote_group?: string
  readonly remote_address_group?: string
  readonly description?: string
}

/** Neutron's name for the group of a project's ports that name none. */
export const DEFAULT_GROUP = 'default'

/** A rule of the site's template, and which groups get it. */
export type TemplateRule = Rule & {
  readonly used_in_default_sg: boolean
  readonly used_in_non_default_sg: boolean
}

/** `remote_group` of a template rule: the group itself that gets it. */
export const PARENT = 'PARENT'

/** Neutron's: every group may send anything, and ports of the default group hear each other. */
export const DEFAULT_TEMPLATE: readonly TemplateRule[] = [
  { direction: 'egress', ethertype: 'IPv4', used_in_default_sg: true, used_in_non_default_sg: true },
  { direction: 'egress', ethertype: 'IPv6', used_in_default_sg: true, used_in_non_default_sg: true },
  { direction: 'ingress', ethertype: 'IPv4', remote_group: PARENT, used_in_default_sg: true, used_in_non_default_sg: false },
  { direction: 'ingress', ethertype: 'IPv6', remote_group: PARENT, used_in_default_sg: true, used_in_non_default_sg: false },
]

/** What a rule allows, whatever is said about it: two with the same text are one. */
export function ruleText(rule: Rule): string {
  const { direction, ethertype, protocol = 'any', port_range_min: min, port_range_max: max } = rule
  const ports = min === undefined ? '' : ` ${min}${max === undefined ? '' : `-${max}`}`
  const remote =
    rule.remote_ip_prefix ??
    (rule.remote_group === undefined ? undefined : `group ${rule.remote_group}`) ??
    (rule.remote_address_group === undefined ? undefined : `address group ${rule.remote_address_group}`) ??
    'anybody'
  return `${direction} ${ethertype} ${protocol}${ports} ${direction === 'ingress' ? 'from' : 'to'} ${remote}`
}
