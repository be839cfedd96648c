import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const tapFlowSchema = {
  type: 'object',
  description: 'A port of whose frames a tap service gets copies.',
  additionalProperties: false,
  required: ['tap_service', 'source_port', 'direction'],
  properties: {
    tap_service: { type: 'string', minLength: 1, maxLength: 511, description: 'Who gets the copies.', examples: ['ids'] },
    source_port: { type: 'string', minLength: 1, maxLength: 511, description: 'Whose frames are copied.', examples: ['web-1'] },
    direction: {
      type: 'string',
      enum: ['IN', 'OUT', 'BOTH'],
      description: 'As the source port sees it: IN is what it receives, OUT what it sends.',
    },
    description: { type: 'string', default: '', maxLength: 255, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (tapFlowSchema satisfies JSONSchema)

/** What an operator writes for a tap flow. */
export type TapFlowDeclared = FromSchema<typeof tapFlowSchema, { keepDefaultedPropertiesOptional: true }>
