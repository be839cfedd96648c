import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const subnetSchema = {
  type: 'object',
  description: 'A block of addresses on a network.',
  additionalProperties: false,
  required: ['network'],
  properties: {
    network: {
      type: 'string',
      minLength: 1,
      maxLength: 511,
      description: 'The network, as name or project/name.',
      examples: ['blue', 'shop/blue'],
    },
    cidr: {
      type: 'string',
      description: 'The block, with its mask. With a subnet pool: this block of the pool. Left out: a free one of the pool.',
      examples: ['10.10.0.0/24', 'fd00:10::/64'],
    },
    subnetpool: {
      type: 'string',
      minLength: 1,
      maxLength: 511,
      description: 'The subnet pool from which the block is taken, as name or project/name.',
      examples: ['campus', 'infra/campus'],
    },
    prefixlen: {
      type: 'integer',
      minimum: 0,
      maximum: 128,
      description: 'Length of the block that is taken from the pool. Left out: the pool’s default_prefixlen.',
      examples: [26],
    },
    use_default_subnetpool: {
      type: 'boolean',
      default: false,
      description: 'Take the block from the default pool of the family, which ip_version says.',
    },
    ip_version: {
      type: 'integer',
      description: '4 or 6. Follows from cidr or the pool, and must agree with it; use_default_subnetpool needs it.',
      examples: [4],
    },
    gateway_ip: {
      type: ['string', 'null'],
      description:
        'The router’s address. Left out: the first host (IPv4, and blocks that a pool chose), the network address (IPv6). null: none.',
      examples: ['10.10.0.1', null],
    },
    allocation_pools: {
      type: 'array',
      maxItems: 1000,
      description: 'Where addresses are chosen from. Left out: every host but the gateway.',
      examples: [[{ start: '10.10.0.100', end: '10.10.0.199' }]],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['start', 'end'],
        properties: { start: { type: 'string', description: 'First address.' }, end: { type: 'string', description: 'Last address.' } },
      },
    },
    enable_dhcp: { type: 'boolean', default: true, description: 'Whether the subnet’s addresses are handed out by DHCP.' },
    dns_nameservers: {
      type: 'array',
      default: [],
      description: 'At most 5, the order counts.',
      examples: [['10.10.0.2']],
      items: { type: 'string' },
    },
    host_routes: {
      type: 'array',
      default: [],
      description: 'At most 20 routes handed out by DHCP.',
      examples: [[{ destination: '10.99.0.0/16', nexthop: '10.10.0.254' }]],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['destination', 'nexthop'],
        properties: {
          destination: { type: 'string', description: 'A prefix without host bits.' },
          nexthop: { type: 'string', description: 'An address.' },
        },
      },
    },
    ipv6_ra_mode: {
      type: 'string',
      enum: ['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'],
      description: 'Who makes router advertisements say what. IPv6 only; if both modes are written they must be equal.',
    },
    ipv6_address_mode: {
      type: 'string',
      enum: ['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'],
      description: 'How hosts come to their addresses. slaac and dhcpv6-stateless need a /64. IPv6 only.',
    },
    description: { type: 'string', default: '', maxLength: 255, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (subnetSchema satisfies JSONSchema)

/** What an operator writes for a subnet. */
export type SubnetDeclared = FromSchema<typeof subnetSchema, { keepDefaultedPropertiesOptional: true }>
