import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const trunkSchema = {
  type: 'object',
  description: 'A port whose guest reaches several networks through one interface, told apart by VLAN tags.',
  additionalProperties: false,
  required: ['port'],
  properties: {
    port: {
      type: 'string',
      minLength: 1,
      maxLength: 511,
      description: 'The parent: its interface carries the subports, and its own frames are untagged.',
      examples: ['vnf-1'],
    },
    subports: {
      type: 'array',
      default: [],
      maxItems: 4094,
      description: 'Ports whose frames the guest tags. The order does not count.',
      examples: [[{ port: 'vnf-1-blue', segmentation_id: 100 }]],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['port'],
        properties: {
          port: { type: 'string', minLength: 1, maxLength: 511, description: 'Without a host of its own it is where the parent is.' },
          segmentation_type: {
            type: 'string',
            enum: ['vlan', 'inherit'],
            description: 'vlan, as where it is left out: segmentation_id. inherit: the VLAN id of the subport’s network.',
          },
          segmentation_id: { type: 'integer', minimum: 1, maximum: 4094, description: 'VLAN id inside the guest, once in a trunk.' },
        },
      },
    },
    admin_state_up: { type: 'boolean', default: true, description: 'false: no subport carries anything; the parent does.' },
    description: { type: 'string', default: '', maxLength: 1024, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (trunkSchema satisfies JSONSchema)

/** What an operator writes for a trunk. */
export type TrunkDeclared = FromSchema<typeof trunkSchema, { keepDefaultedPropertiesOptional: true }>
