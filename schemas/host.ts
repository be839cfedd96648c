import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const hostSchema = {
  type: 'object',
  description: 'A machine that runs netloom-agentd. Hosts belong to the whole installation, not to a project.',
  additionalProperties: false,
  properties: {
    tunnel_ip: {
      type: 'string',
      description: 'Where VXLAN, Geneve and GRE tunnels end. Left out: the host takes part in no tunnel.',
      examples: ['192.0.2.1', 'fd00::1'],
    },
    backend: {
      type: 'string',
      enum: ['ovs'],
      description: 'What the host’s agent drives; a mechanism driver must know it. Left out: that of the first mechanism driver.',
      examples: ['ovs'],
    },
    roles: {
      type: 'array',
      default: ['l2'],
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: ['l2'] },
      description: 'What the host’s agent does: l2 carries networks and binds ports; plugins address others.',
      examples: [['l2']],
    },
    bridge_mappings: {
      type: 'object',
      default: {},
      propertyNames: { minLength: 1, maxLength: 64 },
      additionalProperties: { type: 'string', description: 'An OVS bridge that exists on the host and is not Netloom’s.' },
      description: 'Physical network → bridge of the host.',
      examples: [{ physnet1: 'br-ex' }],
    },
    public_key: {
      type: 'string',
      minLength: 40,
      maxLength: 40,
      description:
        'The key that the host’s agent proves itself with, as `netloom keys new HOST` prints it. Removing the line expels the host.',
    },
    availability_zone: {
      type: 'string',
      default: 'nova',
      minLength: 1,
      maxLength: 255,
      description: 'The zone the host fails with.',
      examples: ['zone-1'],
    },
    description: { type: 'string', default: '', maxLength: 255, description: 'For people.' },
  },
} as const
void (hostSchema satisfies JSONSchema)

/** What an operator writes for a host. */
export type HostDeclared = FromSchema<typeof hostSchema, { keepDefaultedPropertiesOptional: true }>
