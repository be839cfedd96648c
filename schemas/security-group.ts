import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const securityGroupSchema = {
  type: 'object',
  description: 'What ports may receive and send. Rules only ever allow; what no rule allows does not pass.',
  additionalProperties: false,
  properties: {
    description: { type: 'string', default: '', maxLength: 255, description: 'For people.' },
    stateful: {
      type: 'boolean',
      default: true,
      description: 'true: answers pass without a rule of their own. All groups of one port are the same in this.',
    },
    default_rules: {
      type: 'boolean',
      default: true,
      description: 'Besides the rules here, those that every new group gets (default_security_group_rules of the site file).',
    },
    rules: {
      type: 'array',
      maxItems: 10000,
      description: 'What is allowed. The order does not count. Left out: what default_rules brings.',
      examples: [[{ direction: 'ingress', protocol: 'tcp', port_range_min: 80, port_range_max: 443, remote_ip_prefix: '10.0.0.0/8' }], []],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['direction'],
        properties: {
          direction: { type: 'string', enum: ['ingress', 'egress'], description: 'ingress: to the port. egress: from it.' },
          ethertype: { type: 'string', pattern: '^[iI][pP][vV][46]$', description: 'IPv4 or IPv6. Left out: IPv4.' },
          protocol: {
            type: ['string', 'integer'],
            description: 'Name (tcp, udp, icmp, …) or number of the IP protocol. Left out: any.',
          },
          port_range_min: { type: 'integer', description: 'First destination port; of ICMP the type.' },
          port_range_max: { type: 'integer', description: 'Last destination port; of ICMP the code.' },
          remote_ip_prefix: { type: 'string', description: 'Who is on the other side: an address or a prefix.' },
          remote_group: { type: 'string', minLength: 1, maxLength: 511, description: 'Who is on the other side: ports of this group.' },
          remote_address_group: {
            type: 'string',
            minLength: 1,
            maxLength: 511,
            description: 'Who is on the other side: what this address group holds, of the rule’s ethertype.',
          },
          description: { type: 'string', maxLength: 255, description: 'For people.' },
        },
      },
    },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (securityGroupSchema satisfies JSONSchema)

/** What an operator writes for a security group. */
export type SecurityGroupDeclared = FromSchema<typeof securityGroupSchema, { keepDefaultedPropertiesOptional: true }>
