import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const subnetpoolSchema = {
  type: 'object',
  description: 'Prefixes from which subnets get their blocks.',
  additionalProperties: false,
  required: ['prefixes'],
  properties: {
    prefixes: {
      type: 'array',
      minItems: 1,
      maxItems: 1000,
      description: 'Where blocks are taken from, all of one family. Prefixes that touch are joined; the order does not count.',
      examples: [['10.64.0.0/12'], ['fd00:64::/40']],
      items: { type: 'string' },
    },
    min_prefixlen: {
      type: 'integer',
      minimum: 0,
      maximum: 128,
      description: 'The largest block that can be asked for. Default 8 (IPv4), 64 (IPv6).',
      examples: [20],
    },
    default_prefixlen: {
      type: 'integer',
      minimum: 0,
      maximum: 128,
      description: 'The block of a subnet that says no prefixlen. Default: min_prefixlen.',
      examples: [24],
    },
    max_prefixlen: {
      type: 'integer',
      minimum: 0,
      maximum: 128,
      description: 'The smallest block that can be asked for. Default 32 (IPv4), 128 (IPv6).',
      examples: [28],
    },
    default_quota: {
      type: 'integer',
      minimum: 0,
      maximum: 9007199254740991,
      description: 'What each project may take: addresses (IPv4), /64 blocks (IPv6). Left out: no limit.',
      examples: [4096],
    },
    address_scope: {
      type: 'string',
      minLength: 1,
      maxLength: 511,
      description: 'The address scope, as name or project/name. Pools of one scope do not overlap.',
      examples: ['routed', 'infra/routed'],
    },
    is_default: {
      type: 'boolean',
      default: false,
      description: 'For subnets with use_default_subnetpool, in every project. One pool of each family in the whole installation.',
    },
    shared: { type: 'boolean', default: false, description: 'Every project may name it; rbac_policies let single ones.' },
    description: { type: 'string', default: '', maxLength: 255, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (subnetpoolSchema satisfies JSONSchema)

/** What an operator writes for a subnet pool. */
export type SubnetpoolDeclared = FromSchema<typeof subnetpoolSchema, { keepDefaultedPropertiesOptional: true }>
