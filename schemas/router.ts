import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const routerSchema = {
  type: 'object',
  description: 'What leads from one network to others. Every host routes for its own ports.',
  additionalProperties: false,
  properties: {
    interfaces: {
      type: 'array',
      default: [],
      maxItems: 1024,
      description:
        'Where it is: on the gateway_ip of a subnet, or on the addresses of a port that is nobody else’s. The order does not count.',
      examples: [[{ subnet: 'blue-v4' }, { port: 'gate' }]],
      items: {
        type: 'object',
        additionalProperties: false,
        properties: {
          subnet: { type: 'string', minLength: 1, maxLength: 511, description: 'It gets the gateway_ip.' },
          port: { type: 'string', minLength: 1, maxLength: 511, description: 'It gets the MAC and the addresses of the port.' },
        },
      },
    },
    routes: {
      type: 'array',
      default: [],
      maxItems: 30,
      description: 'Ways to what is on none of its subnets. The order does not count.',
      examples: [[{ destination: '10.99.0.0/16', nexthop: '10.10.0.254' }]],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['destination', 'nexthop'],
        properties: {
          destination: {
            type: 'string',
            maxLength: 64,
            description: 'A prefix; the longest one that fits decides. Several nexthops (at most 8) share its connections.',
          },
          nexthop: { type: 'string', maxLength: 64, description: 'An address on one of its subnets that is not its own.' },
        },
      },
    },
    admin_state_up: { type: 'boolean', default: true, description: 'false: it forwards nothing and answers nobody.' },
    description: { type: 'string', default: '', maxLength: 1024, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (routerSchema satisfies JSONSchema)

/** What an operator writes for a router. */
export type RouterDeclared = FromSchema<typeof routerSchema, { keepDefaultedPropertiesOptional: true }>
