import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const logSchema = {
  type: 'object',
  description: 'Which connections are written down: what rules of security groups let in and out of ports, and what they do not.',
  additionalProperties: false,
  properties: {
    resource_type: {
      type: 'string',
      enum: ['security_group'],
      default: 'security_group',
      description: 'What is logged. There is one type.',
    },
    security_group: {
      type: 'string',
      minLength: 1,
      maxLength: 511,
      description: 'Ports of the project that are in this group, as name or project/name. Without it and `port`: all ports of the project.',
      examples: ['web'],
    },
    port: {
      type: 'string',
      minLength: 1,
      maxLength: 511,
      description: 'This port alone; together with `security_group` it has to be in that group.',
      examples: ['web-1'],
    },
    event: {
      type: 'string',
      enum: ['ALL', 'ACCEPT', 'DROP'],
      default: 'ALL',
      description: 'ACCEPT: connections that a rule lets pass. DROP: packets that none does.',
    },
    enabled: { type: 'boolean', default: true, description: 'false: nothing is written down for it.' },
    description: { type: 'string', default: '', maxLength: 1024, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (logSchema satisfies JSONSchema)

/** What an operator writes for a log. */
export type LogDeclared = FromSchema<typeof logSchema, { keepDefaultedPropertiesOptional: true }>
