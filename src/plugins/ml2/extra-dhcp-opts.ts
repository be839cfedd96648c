import type { AttributeExtension } from '../../kinds/extension.ts'
import type { Finding } from '../../model/issue.ts'
import { compareText } from '../../model/key.ts'

/** Options that make sense without a value: they take one away (Neutron's `VALID_BLANK_EXTRA_DHCP_OPTS`). */
const MAY_BE_EMPTY = new Set(['router', 'classless-static-route'])

/** DHCP options of one port (Neutron's `extra_dhcp_opts`): kept and checked here, sent by whoever serves the network's DHCP (B3.7). */
export const extraDhcpOpts: AttributeExtension = {
  kind: 'port',
  alias: 'extra_dhcp_opt',
  properties: {
    extra_dhcp_opts: {
      type: 'array',
      maxItems: 100,
      description: 'DHCP options for this port alone.',
      examples: [[{ opt_name: 'bootfile-name', opt_value: 'pxelinux.0' }]],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['opt_name', 'opt_value'],
        properties: {
          opt_name: { type: 'string', minLength: 1, maxLength: 64, description: 'The option’s name or number.' },
          opt_value: { type: 'string', maxLength: 255, description: 'Its value. Empty for router and classless-static-route: send none.' },
          ip_version: { type: 'integer', enum: [4, 6], description: 'DHCPv4 or DHCPv6. Default 4.' },
        },
      },
    },
  },
  mutability: { extra_dhcp_opts: 'in place' },
  normalise(values) {
    const options = (values['extra_dhcp_opts'] ?? []) as readonly Written[]
    if (options.length === 0) return { spec: {}, findings: [] }
    const filled = options.map((o): Option => ({ ...o, ip_version: o.ip_version ?? 4 }))
    return { spec: { extra_dhcp_opts: [...filled].sort(compareOptions) }, findings: optionFindings(filled) }
  },
}

/** As the schema lets it through. */
type Written = { readonly opt_name: string; readonly opt_value: string; readonly ip_version?: number }
type Option = Required<Written>

function compareOptions(a: Option, b: Option): number {
  return a.ip_version - b.ip_version || compareText(a.opt_name, b.opt_name)
}

/** A name or value must not be able to say anything but itself to the server that reads it (LP#1939733: a newline began another option). */
function optionFindings(options: readonly Option[]): readonly Finding[] {
  const findings: Finding[] = []
  const seen = new Map<string, number>()
  options.forEach((option, i) => {
    const { opt_name: name, opt_value: value, ip_version: version } = option
    const at = ['extra_dhcp_opts', i]
    const no = (message: string, where: string, hint: string): number => findings.push({ code: 'E0229', message, at: [...at, where], hint })
    if (!/^[a-z0-9][a-z0-9-]*$/i.test(name))
      no(`DHCP option ${JSON.stringify(name)} is no name or number`, 'opt_name', 'write a name such as bootfile-name, or a number')
    else if (/^\d+$/.test(name) && (Number(name) < 1 || Number(name) > (version === 4 ? 254 : 65_535)))
      no(`DHCP option ${name} is not a number of DHCPv${version}`, 'opt_name', `write 1 to ${version === 4 ? 254 : 65_535}`)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    if (/[\u0000-\u001f\u007f]/.test(value))
      no(`the value of DHCP option ${name} holds a control character`, 'opt_value', 'write it on one line')
    else if (value === '' && !MAY_BE_EMPTY.has(name)) no(`DHCP option ${name} has no value`, 'opt_value', 'write one, or remove the option')
    const first = seen.get(`${version} ${name}`)
    if (first === undefined) seen.set(`${version} ${name}`, i)
    else no(`DHCP option ${name} is there twice for IPv${version} (places ${first + 1} and ${i + 1})`, 'opt_name', 'remove one')
  })
  return findings
}
