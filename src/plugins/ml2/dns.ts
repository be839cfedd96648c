import type { AttributeExtension } from '../../kinds/extension.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'

const ALIAS = 'dns-integration'

/** Neutron's DNS attributes: kept and checked here, answered by whoever serves the network's DNS (B3.22). */
export const dnsOfNetwork: AttributeExtension = {
  kind: 'network',
  alias: ALIAS,
  properties: {
    dns_domain: {
      type: 'string',
      maxLength: 255,
      description: 'Domain of the network’s ports, with a dot at its end.',
      examples: ['shop.example.org.'],
    },
  },
  mutability: { dns_domain: 'in place' },
  normalise: (values) => normalised(values, (v) => domainFindings(v['dns_domain'])),
}

export const dnsOfPort: AttributeExtension = {
  kind: 'port',
  alias: ALIAS,
  properties: {
    dns_name: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'Name of the port: one label, or a full name with a dot at its end.',
      examples: ['web-1'],
    },
    dns_domain: {
      type: 'string',
      maxLength: 255,
      description: 'Domain of this port instead of its network’s, with a dot at its end.',
      examples: ['shop.example.org.'],
    },
  },
  mutability: { dns_name: 'in place', dns_domain: 'in place' },
  normalise: (values) => normalised(values, (v) => [...nameFindings(v), ...domainFindings(v['dns_domain'])]),
}

/** Names are the same in any case. */
function normalised(
  values: JsonObject,
  check: (values: JsonObject) => readonly Finding[],
): { readonly spec: JsonObject; readonly findings: readonly Finding[] } {
  const spec = Object.fromEntries(Object.entries(values).map(([name, v]) => [name, typeof v === 'string' ? v.toLowerCase() : v]))
  return { spec, findings: check(spec) }
}

function domainFindings(domain: unknown): readonly Finding[] {
  if (typeof domain !== 'string' || domain === '') return []
  const at = ['dns_domain']
  if (!domain.endsWith('.')) {
    return [{ code: 'E0235', message: `dns_domain ${domain} does not end with a dot`, at, hint: `write ${domain}.` }]
  }
  const fault = nameFault(domain.slice(0, -1))
  return fault === undefined
    ? []
    : [{ code: 'E0235', message: `dns_domain ${domain}: ${fault}`, at, hint: 'write labels of letters, digits and hyphens' }]
}

/** One label, or a full name; a relative name of several labels would mean something else in every domain. */
function nameFindings({ dns_name: name, dns_domain: domain }: JsonObject): readonly Finding[] {
  if (typeof name !== 'string') return []
  const at = ['dns_name']
  const full = name.endsWith('.')
  const fault = nameFault(full ? name.slice(0, -1) : name)
  if (fault !== undefined)
    return [{ code: 'E0235', message: `dns_name ${name}: ${fault}`, at, hint: 'write labels of letters, digits and hyphens' }]
  if (!full && name.includes('.')) {
    return [
      {
        code: 'E0235',
        message: `dns_name ${name} has several labels and no dot at its end`,
        at,
        hint: `write ${name}. for a full name, or one label`,
      },
    ]
  }
  if (full && typeof domain === 'string' && domain !== '' && !name.endsWith(`.${domain}`)) {
    return [{ code: 'E0235', message: `dns_name ${name} is not in dns_domain ${domain}`, at, hint: 'leave one of them out' }]
  }
  return []
}

/** RFC 1035 and 1123, and Neutron's rule that the last label is not all digits: such a name reads as an address. */
function nameFault(name: string): string | undefined {
  if (name.length > 254) return `it has ${name.length} characters, more than 254`
  const labels = name.split('.')
  for (const label of labels) {
    if (label === '') return 'it has an empty label'
    if (label.length > 63) return `label ${label} has ${label.length} characters, more than 63`
    if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label)) return `label ${label} is not made of letters, digits and inner hyphens`
  }
  const last = labels.at(-1) ?? ''
  return labels.length > 1 && /^\d+$/.test(last) ? `its last label ${last} is all digits` : undefined
}
