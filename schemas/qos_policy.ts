import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const qosPolicySchema = {
  type: 'object',
  description: 'What ports may send and receive, and how their packets are marked.',
  additionalProperties: false,
  properties: {
    rules: {
      type: 'array',
      default: [],
      maxItems: 100,
      description: 'At most one of each type and direction.',
      examples: [
        [
          { type: 'bandwidth_limit', max_kbps: 10_000 },
          { type: 'bandwidth_limit', direction: 'ingress', max_kbps: 20_000, max_burst_kbps: 2_000 },
          { type: 'packet_rate_limit', max_kpps: 5 },
          { type: 'dscp_marking', dscp_mark: 26 },
        ],
      ],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['type'],
        properties: {
          type: {
            type: 'string',
            enum: ['bandwidth_limit', 'packet_rate_limit', 'dscp_marking', 'minimum_bandwidth', 'minimum_packet_rate'],
            description: 'minimum_bandwidth and minimum_packet_rate are refused: no switch here keeps a minimum.',
          },
          direction: {
            type: 'string',
            enum: ['egress', 'ingress', 'any'],
            description: 'As the guest sees it: egress is what it sends. Left out: egress.',
          },
          max_kbps: { type: 'integer', minimum: 0, maximum: 2_147_483_647, description: 'Kilobits per second.' },
          max_burst_kbps: {
            type: 'integer',
            minimum: 0,
            maximum: 2_147_483_647,
            description: 'Kilobits that may come at once. 0 or left out: 80 % of max_kbps.',
          },
          max_kpps: { type: 'integer', minimum: 0, maximum: 2_147_483_647, description: 'Thousands of packets per second.' },
          max_burst_kpps: {
            type: 'integer',
            minimum: 0,
            maximum: 2_147_483_647,
            description: 'Thousands of packets that may come at once. 0 or left out: 80 % of max_kpps.',
          },
          dscp_mark: { type: 'integer', description: 'What IP packets that the guest sends are marked with.', examples: [26] },
          min_kbps: { type: 'integer', minimum: 0, maximum: 2_147_483_647, description: 'Of minimum_bandwidth.' },
          min_kpps: { type: 'integer', minimum: 0, maximum: 2_147_483_647, description: 'Of minimum_packet_rate.' },
        },
      },
    },
    shared: { type: 'boolean', default: false, description: 'Every project may use it. For single projects: rbac_policies.' },
    is_default: {
      type: 'boolean',
      default: false,
      description: 'Networks of the project that say nothing have it. One in a project.',
    },
    description: { type: 'string', default: '', maxLength: 255, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (qosPolicySchema satisfies JSONSchema)

/** What an operator writes for a QoS policy. */
export type QosPolicyDeclared = FromSchema<typeof qosPolicySchema, { keepDefaultedPropertiesOptional: true }>
