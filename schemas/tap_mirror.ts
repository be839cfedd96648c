import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const tapMirrorSchema = {
  type: 'object',
  description: 'A port of whose frames a collector outside gets copies, by GRE or ERSPAN.',
  additionalProperties: false,
  required: ['port', 'mirror_type', 'remote_ip', 'directions'],
  properties: {
    port: { type: 'string', minLength: 1, maxLength: 511, description: 'Whose frames are copied.', examples: ['web-1'] },
    mirror_type: {
      type: 'string',
      enum: ['erspanv1', 'gre'],
      description: 'How copies are packed: ERSPAN version 1 (type II), or Ethernet in GRE with a key.',
    },
    remote_ip: { type: 'string', minLength: 1, maxLength: 64, description: 'The collector.', examples: ['198.51.100.9'] },
    directions: {
      type: 'object',
      additionalProperties: false,
      description:
        'What is copied, each with the number that tells it from others at the collector: a GRE key, or an ERSPAN session (0 to 1023).',
      examples: [{ IN: 100, OUT: 101 }],
      properties: {
        IN: { type: 'integer', minimum: 0, maximum: 4_294_967_295, description: 'What the port receives.' },
        OUT: { type: 'integer', minimum: 0, maximum: 4_294_967_295, description: 'What the port sends.' },
        BOTH: { type: 'integer', minimum: 0, maximum: 4_294_967_295, description: 'Both, under one number; instead of IN and OUT.' },
      },
    },
    description: { type: 'string', default: '', maxLength: 255, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (tapMirrorSchema satisfies JSONSchema)

/** What an operator writes for a tap mirror. */
export type TapMirrorDeclared = FromSchema<typeof tapMirrorSchema, { keepDefaultedPropertiesOptional: true }>
