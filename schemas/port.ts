import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const portSchema = {
  type: 'object',
  description: 'A connection of one interface to a network.',
  additionalProperties: false,
  required: ['network'],
  properties: {
    network: { type: 'string', minLength: 1, maxLength: 511, description: 'The network, as name or project/name.', examples: ['blue'] },
    host: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'The host where the port is attached. Left out: nowhere yet.',
      examples: ['h1'],
    },
    migrating_to: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description:
        'The host that the guest is on its way to: wired there as well, and both hosts get what is for it. Then it becomes the host.',
      examples: ['h2'],
    },
    mac_address: { type: 'string', description: 'Any spelling. Left out: chosen from base_mac and kept.', examples: ['fa:16:3e:00:00:05'] },
    fixed_ips: {
      type: 'array',
      maxItems: 1000,
      description:
        'Addresses. Left out: one IPv4, one stateful IPv6, and one in every SLAAC subnet. An entry with only a subnet gets any free address of it. []: none.',
      examples: [[{ ip_address: '10.10.0.11' }], [{ subnet: 'blue-v4' }], []],
      items: {
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        properties: {
          subnet: { type: 'string', minLength: 1, maxLength: 511, description: 'A subnet of the network.' },
          ip_address: { type: 'string', description: 'An address of it.' },
        },
      },
    },
    admin_state_up: { type: 'boolean', default: true, description: 'false: the port passes nothing.' },
    port_security_enabled: { type: 'boolean', description: 'Anti-spoofing. Left out: what the network says.' },
    security_groups: {
      type: 'array',
      maxItems: 1000,
      uniqueItems: true,
      description:
        'Groups whose rules say what passes. []: nothing does. Left out: the default group of the project, unless port security is off or device_owner begins with network:.',
      examples: [['web']],
      items: { type: 'string', minLength: 1, maxLength: 511 },
    },
    allowed_address_pairs: {
      type: 'array',
      default: [],
      description: 'At most 10 further addresses that the port may send from.',
      examples: [[{ ip_address: '10.10.0.100' }]],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['ip_address'],
        properties: {
          ip_address: { type: 'string', description: 'An address or a prefix.' },
          mac_address: { type: 'string', description: 'Left out: the port’s own.' },
        },
      },
    },
    vnic_type: {
      type: 'string',
      enum: [
        'normal',
        'direct',
        'direct-physical',
        'macvtap',
        'baremetal',
        'virtio-forwarder',
        'smart-nic',
        'vdpa',
        'accelerator-direct',
        'accelerator-direct-physical',
        'remote-managed',
      ],
      default: 'normal',
      description: 'Neutron’s binding:vnic_type: what kind of interface the guest gets; a mechanism driver must know it.',
    },
    device_id: { type: 'string', default: '', maxLength: 255, description: 'What uses the port, e.g. a VM’s id.' },
    device_owner: { type: 'string', default: '', maxLength: 255, description: 'Who uses the port.', examples: ['compute:nova'] },
    plug: {
      type: 'object',
      additionalProperties: false,
      required: ['type'],
      description: 'The agent makes the interface. Left out: a VM or container plugs it, and names the port by external_ids:iface-id.',
      examples: [{ type: 'veth', netns: 'web-1' }],
      properties: {
        type: {
          type: 'string',
          enum: ['internal', 'veth'],
          description: 'internal: an OVS internal port. veth: a pair, one end in netns.',
        },
        interface: {
          type: 'string',
          description: 'Name of the interface on the host, at most 15 characters, unique there. Left out: made from the port’s id.',
          examples: ['nl-web-1'],
        },
        netns: {
          type: 'string',
          minLength: 1,
          maxLength: 255,
          description: 'Network namespace of the guest’s end. veth needs one.',
          examples: ['web-1'],
        },
        guest_interface: { type: 'string', description: 'veth only: name of the end inside netns. Left out: eth0.', examples: ['eth0'] },
      },
    },
    description: { type: 'string', default: '', maxLength: 255, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case: what external_ids:iface-id holds. Left out: derived from the identity.',
    },
  },
} as const
void (portSchema satisfies JSONSchema)

/** What an operator writes for a port. */
export type PortDeclared = FromSchema<typeof portSchema, { keepDefaultedPropertiesOptional: true }>
