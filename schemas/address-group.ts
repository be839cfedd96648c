import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const addressGroupSchema = {
  type: 'object',
  description: 'Addresses and prefixes that rules of security groups name together.',
  additionalProperties: false,
  properties: {
    addresses: {
      type: 'array',
      default: [],
      maxItems: 10000,
      description: 'Addresses and prefixes of both families. The order does not count.',
      examples: [['10.1.0.0/16', '2001:db8::/32']],
      items: { type: 'string' },
    },
    description: { type: 'string', default: '', maxLength: 1024, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (addressGroupSchema satisfies JSONSchema)

/** What an operator writes for an address group. */
export type AddressGroupDeclared = FromSchema<typeof addressGroupSchema, { keepDefaultedPropertiesOptional: true }>
