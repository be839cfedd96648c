import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

// The check stands apart from the value: `isolatedDeclarations` takes no `as const satisfies` on what is exported.
export const networkSchema = {
  type: 'object',
  description: 'An isolated layer-2 segment. Everything may be left out: type, number and MTU are then chosen and shown in the plan.',
  additionalProperties: false,
  properties: {
    network_type: {
      type: 'string',
      enum: ['local', 'flat', 'vlan', 'vxlan', 'geneve', 'gre'],
      description:
        'How the network is carried. Left out: the first of the site’s project_network_types (external_network_types) with room.',
      examples: ['vxlan', 'vlan'],
    },
    physical_network: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      description: 'flat and vlan only: the physical network, as the hosts name it in bridge_mappings.',
      examples: ['physnet1'],
    },
    segmentation_id: {
      type: 'integer',
      description: 'VLAN id (1–4094), VXLAN or Geneve VNI (1–16777215) or GRE key (1–4294967295). Left out: chosen and kept.',
      examples: [120],
    },
    segments: {
      type: 'array',
      minItems: 1,
      maxItems: 256,
      description:
        'Several ways to carry one network, instead of the three attributes above: each port takes the first that its host can reach. What joins them is not Netloom’s.',
      examples: [[{ network_type: 'vlan', physical_network: 'physnet1', segmentation_id: 120 }, { network_type: 'vxlan' }]],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['network_type'],
        properties: {
          name: { type: 'string', minLength: 1, maxLength: 255, description: 'What subnets call it. Unique in the network.' },
          network_type: { type: 'string', enum: ['local', 'flat', 'vlan', 'vxlan', 'geneve', 'gre'], description: 'How it is carried.' },
          physical_network: { type: 'string', minLength: 1, maxLength: 64, description: 'flat and vlan only.' },
          segmentation_id: { type: 'integer', description: 'Left out: chosen and kept.' },
        },
      },
    },
    mtu: { type: 'integer', description: 'At most what the network type can carry. 0 or left out: that maximum.', examples: [1450] },
    admin_state_up: { type: 'boolean', default: true, description: 'false: the network carries nothing.' },
    port_security_enabled: { type: 'boolean', default: true, description: 'What ports of the network inherit: anti-spoofing on or off.' },
    shared: { type: 'boolean', default: false, description: 'Every project may have ports here; rbac_policies let single ones.' },
    availability_zone_hints: {
      type: 'array',
      maxItems: 32,
      uniqueItems: true,
      items: { type: 'string', minLength: 1, maxLength: 255 },
      default: [],
      description: 'Zones that the network’s services should run in. Ports may be on hosts of any zone.',
      examples: [['nova']],
    },
    igmp_snooping_enable: {
      type: 'boolean',
      description: 'Multicast goes only to ports that asked for it. Left out: as the site says.',
      examples: [true],
    },
    vlan_transparent: {
      type: 'boolean',
      description: 'Frames of guests keep VLAN tags of their own. True only where the site’s mechanism drivers can: Open vSwitch cannot.',
    },
    qinq: { type: 'boolean', description: 'The same within a tag of the network. Open vSwitch cannot.' },
    external: { type: 'boolean', default: false, description: 'Neutron’s router:external: routers may have their gateway here.' },
    description: { type: 'string', default: '', maxLength: 255, description: 'For people.' },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (networkSchema satisfies JSONSchema)

/** What an operator writes for a network. */
export type NetworkDeclared = FromSchema<typeof networkSchema, { keepDefaultedPropertiesOptional: true }>
