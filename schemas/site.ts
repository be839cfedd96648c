import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const siteSchema = {
  type: 'object',
  description:
    'The site file, netloom.yaml at the root of the repository: what holds for the whole installation. Everything may be left out.',
  additionalProperties: false,
  properties: {
    installation: {
      type: 'string',
      maxLength: 64,
      description:
        'Names this installation: agents write it beside all that they make, and a plan that would change it is refused by the guard `installation`. Written by netloom init.',
    },
    core_plugin: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'The plugin that brings networks, subnets and ports.',
      examples: ['ml2'],
    },
    service_plugins: {
      type: 'array',
      items: { type: 'string', minLength: 1, maxLength: 1024 },
      description:
        'Further plugins: names of built-in ones, paths from the repository (./plugins/x.js), or npm packages. What they require is loaded by itself.',
      examples: [['./plugins/virtual-ip.js']],
    },
    disabled_plugins: {
      type: 'array',
      items: { type: 'string', minLength: 1, maxLength: 255 },
      description: 'Plugins that are on by default and are not wanted.',
      examples: [['tag']],
    },
    overrides: {
      type: 'array',
      uniqueItems: true,
      items: { type: 'string', minLength: 1, maxLength: 255 },
      description: 'Extension aliases to do without everywhere, because a plugin here cannot keep what they promise.',
      examples: [['net-mtu-writable']],
    },
    mechanism_drivers: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', minLength: 1, maxLength: 255 },
      description: 'What binds ports to hosts, in the order in which they are asked.',
      examples: [['openvswitch']],
    },
    type_drivers: {
      type: 'array',
      uniqueItems: true,
      items: { type: 'string', enum: ['local', 'flat', 'vlan', 'vxlan', 'geneve', 'gre'] },
      description: 'Network types that may be used at all.',
    },
    project_network_types: {
      type: 'array',
      uniqueItems: true,
      items: { type: 'string', enum: ['local', 'vlan', 'vxlan', 'geneve', 'gre'] },
      description: 'Types tried in this order for a network that names none.',
    },
    external_network_types: {
      type: 'array',
      uniqueItems: true,
      items: { type: 'string', enum: ['local', 'vlan', 'vxlan', 'geneve', 'gre'] },
      description: 'The same for external networks. Empty: as project_network_types.',
    },
    flat_networks: {
      type: 'array',
      uniqueItems: true,
      items: { type: 'string', minLength: 1, maxLength: 64 },
      description: 'Physical networks that may carry a flat network; * = any.',
      examples: [['physnet1']],
    },
    network_vlan_ranges: {
      type: 'array',
      description: 'VLAN ids that may be chosen, per physical network, in the order in which they are tried. Without from and to: 1–4094.',
      examples: [[{ physical_network: 'physnet1', from: 100, to: 199 }]],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['physical_network'],
        properties: {
          physical_network: { type: 'string', minLength: 1, maxLength: 64 },
          from: { type: 'integer', minimum: 1, maximum: 4094 },
          to: { type: 'integer', minimum: 1, maximum: 4094 },
        },
      },
    },
    vni_ranges: {
      type: 'array',
      description: 'VXLAN numbers that may be chosen.',
      examples: [[{ from: 1000, to: 1999 }]],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['from', 'to'],
        properties: { from: { type: 'integer', minimum: 1, maximum: 16777215 }, to: { type: 'integer', minimum: 1, maximum: 16777215 } },
      },
    },
    geneve_ranges: {
      type: 'array',
      description: 'Geneve numbers that may be chosen.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['from', 'to'],
        properties: { from: { type: 'integer', minimum: 1, maximum: 16777215 }, to: { type: 'integer', minimum: 1, maximum: 16777215 } },
      },
    },
    tunnel_id_ranges: {
      type: 'array',
      description: 'GRE keys that may be chosen.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['from', 'to'],
        properties: {
          from: { type: 'integer', minimum: 1, maximum: 4294967295 },
          to: { type: 'integer', minimum: 1, maximum: 4294967295 },
        },
      },
    },
    global_physnet_mtu: { type: 'integer', minimum: 68, maximum: 65535, description: 'MTU of the physical networks.' },
    path_mtu: {
      type: 'integer',
      minimum: 0,
      maximum: 65535,
      description: 'MTU between tunnel endpoints, if smaller. 0 = as global_physnet_mtu.',
    },
    physical_network_mtus: {
      type: 'object',
      propertyNames: { minLength: 1, maxLength: 64 },
      additionalProperties: { type: 'integer', minimum: 68, maximum: 65535 },
      description: 'MTU of single physical networks, if smaller.',
      examples: [{ physnet2: 1400 }],
    },
    overlay_ip_version: { type: 'integer', enum: [4, 6], description: 'Family of the hosts’ tunnel_ip.' },
    geneve_max_header_size: { type: 'integer', minimum: 30, maximum: 282, description: 'Bytes that a Geneve header may take.' },
    igmp_snooping_enable: {
      type: 'boolean',
      description: 'Multicast goes only to ports that asked for it by IGMP or MLD, and to routers. A network may say otherwise.',
    },
    igmp_querier: {
      type: 'boolean',
      description: 'Each host asks its own ports. false: a router in the network has to; while none does, multicast goes to every port.',
    },
    igmp_query_interval: { type: 'integer', minimum: 2, maximum: 600, description: 'Seconds between two such questions.' },
    base_mac: {
      type: 'string',
      description: 'Where chosen MAC addresses start: three octets are kept, four if the fourth is not 00.',
      examples: ['fa:16:3e:4f:00:00'],
    },
    default_security_group_rules: {
      type: 'array',
      maxItems: 1000,
      description:
        'Rules that every security group has unless it says default_rules: false. Left out: all may send anything, and ports of a default group hear each other.',
      examples: [[{ direction: 'egress', used_in_default_sg: true, used_in_non_default_sg: true }]],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['direction', 'used_in_default_sg', 'used_in_non_default_sg'],
        properties: {
          used_in_default_sg: { type: 'boolean', description: 'The default group of each project gets it.' },
          used_in_non_default_sg: { type: 'boolean', description: 'All other groups get it.' },
          direction: { type: 'string', enum: ['ingress', 'egress'], description: 'ingress: to the port. egress: from it.' },
          ethertype: { type: 'string', pattern: '^[iI][pP][vV][46]$', description: 'IPv4 or IPv6. Left out: IPv4.' },
          protocol: { type: ['string', 'integer'], description: 'Name or number of the IP protocol. Left out: any.' },
          port_range_min: { type: 'integer', description: 'First destination port; of ICMP the type.' },
          port_range_max: { type: 'integer', description: 'Last destination port; of ICMP the code.' },
          remote_ip_prefix: { type: 'string', description: 'Who is on the other side: an address or a prefix.' },
          remote_group: {
            type: 'string',
            maxLength: 511,
            pattern: '^(PARENT|[^/]+/[^/]+)$',
            description: 'Who is on the other side: ports of this group, as project/name; PARENT: of the very group that gets the rule.',
          },
          remote_address_group: {
            type: 'string',
            maxLength: 511,
            pattern: '^[^/]+/[^/]+$',
            description: 'Who is on the other side: an address group, as project/name.',
          },
          description: { type: 'string', maxLength: 255, description: 'For people.' },
        },
      },
    },
    endpoints: {
      type: 'object',
      additionalProperties: false,
      description: 'Where the server listens.',
      properties: {
        pub: { type: 'string', pattern: '^(tcp|ipc)://', description: 'Updates and heartbeats.', examples: ['tcp://192.0.2.10:9610'] },
        rpc: {
          type: 'string',
          pattern: '^(tcp|ipc)://',
          description: 'hello and pull; what agents are started with.',
          examples: ['tcp://192.0.2.10:9611'],
        },
        reports: { type: 'string', pattern: '^(tcp|ipc)://', description: 'Reports of the agents.', examples: ['tcp://192.0.2.10:9612'] },
      },
    },
    workers: {
      type: 'object',
      additionalProperties: false,
      description: 'Threads of the server beside the one that plans. Read when the server starts.',
      properties: {
        rpc: { type: 'integer', minimum: 1, maximum: 16, description: 'How many answer hello and pulls.' },
        reports: {
          type: 'integer',
          minimum: 0,
          maximum: 1,
          description: '1: reports have a thread of their own. 0: those of rpc take them too.',
        },
      },
    },
    source: {
      type: 'string',
      enum: ['worktree', 'commit'],
      description: 'worktree: files as they are saved. commit: committed content only.',
    },
    drift: {
      type: 'object',
      description: 'What is done when a switch is not as it should be.',
      additionalProperties: false,
      properties: {
        mode: { type: 'string', enum: ['off', 'report', 'repair'], description: 'What is done about drift.' },
        schedule: {
          type: 'string',
          description: 'When every host is checked, as a cron expression.',
          examples: ['*/5 * * * *'],
        },
      },
    },
    guards: {
      type: 'object',
      additionalProperties: false,
      description: 'When a plan that deletes much is refused.',
      properties: {
        delete_ratio: { type: 'number', minimum: 0, maximum: 1, description: 'Share of a kind that one plan may delete.' },
        delete_ratio_min: {
          type: 'integer',
          minimum: 0,
          description: 'The ratio counts from this many resources of the kind on.',
        },
        delete_count: { type: 'integer', minimum: 0, description: 'Resources of a kind that one plan may delete.' },
        delete_settle_ms: {
          type: 'integer',
          minimum: 0,
          maximum: 60000,
          description: 'How long a plan that deletes waits for further saves.',
        },
      },
    },
  },
} as const
void (siteSchema satisfies JSONSchema)

/** What an operator writes in the site file. */
export type SiteDeclared = FromSchema<typeof siteSchema>
