import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const tapServiceSchema = {
  type: 'object',
  description: 'A port that gets copies of what other ports send and receive.',
  additionalProperties: false,
  required: ['port'],
  properties: {
    port: {
      type: 'string',
      minLength: 1,
      maxLength: 511,
      description: 'Who gets the copies, on whatever host. It stays a port like any other.',
      examples: ['ids-1'],
    },
    description: { type: 'string', default: '', maxLength: 255, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (tapServiceSchema satisfies JSONSchema)

/** What an operator writes for a tap service. */
export type TapServiceDeclared = FromSchema<typeof tapServiceSchema, { keepDefaultedPropertiesOptional: true }>
