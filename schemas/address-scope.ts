import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const addressScopeSchema = {
  type: 'object',
  description: 'A set of subnet pools whose addresses are unique, so that they can be routed between each other without translation.',
  additionalProperties: false,
  required: ['ip_version'],
  properties: {
    ip_version: { type: 'integer', enum: [4, 6], description: 'The family of all its pools.', examples: [4] },
    shared: { type: 'boolean', default: false, description: 'Every project may have its pools here; rbac_policies let single ones.' },
    description: { type: 'string', default: '', maxLength: 255, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (addressScopeSchema satisfies JSONSchema)

/** What an operator writes for an address scope. */
export type AddressScopeDeclared = FromSchema<typeof addressScopeSchema, { keepDefaultedPropertiesOptional: true }>
