import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const networkSegmentRangeSchema = {
  type: 'object',
  description: 'Numbers that networks get which write no segmentation_id: for one project, or for all.',
  additionalProperties: false,
  required: ['network_type', 'minimum', 'maximum'],
  properties: {
    network_type: {
      type: 'string',
      enum: ['vlan', 'vxlan', 'geneve', 'gre'],
      description: 'The type whose numbers these are.',
      examples: ['vlan'],
    },
    physical_network: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      description: 'vlan only: the physical network, as the hosts name it in bridge_mappings.',
      examples: ['physnet1'],
    },
    minimum: { type: 'integer', description: 'The first number.', examples: [100] },
    maximum: { type: 'integer', description: 'The last number.', examples: [199] },
    shared: { type: 'boolean', description: 'true: for all projects. Left out: true, unless a project is written.' },
    project: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      pattern: '^[^/]+$',
      description: 'The project that gets these numbers, before all others; nobody else gets one by itself.',
      examples: ['shop'],
    },
    description: { type: 'string', default: '', maxLength: 255, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (networkSegmentRangeSchema satisfies JSONSchema)

/** What an operator writes for a range. */
export type NetworkSegmentRangeDeclared = FromSchema<typeof networkSegmentRangeSchema, { keepDefaultedPropertiesOptional: true }>
