import { type KindDefinition, NOTHING, type Resolved } from '../../../src/kinds/kind.ts'
import type { JsonObject } from '../../../src/model/brand.ts'

/** Small kinds for the tests of reading and loading, with every keyword of the schema language in use. */
function kind(part: Pick<KindDefinition, 'kind' | 'collection' | 'scope' | 'schema'> & Partial<KindDefinition>): KindDefinition {
  return {
    summary: `A ${part.kind} of the tests.`,
    after: [],
    normalise: (spec) => ({ spec, findings: [] }),
    references: () => [],
    check: () => [],
    resolve: (resource): Resolved<JsonObject> => ({ spec: resource.spec, findings: [] }),
    lower: () => NOTHING,
    ...part,
  }
}

const network = kind({
  kind: 'network',
  collection: 'networks',
  scope: 'project',
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      network_type: { enum: ['local', 'flat', 'vlan', 'vxlan', 'geneve', 'gre'] },
      segmentation_id: { type: 'integer', minimum: 1, maximum: 16777215 },
      mtu: { type: 'integer', minimum: 68 },
      shared: { type: 'boolean' },
      description: { type: 'string', maxLength: 20 },
    },
  },
})

const port = kind({
  kind: 'port',
  collection: 'ports',
  scope: 'project',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['network'],
    properties: {
      network: { type: 'string', minLength: 1 },
      host: { type: 'string' },
      mac_address: {
        type: 'string',
        pattern: '^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$',
        description: 'six pairs of hex digits, like fa:16:3e:00:00:01',
      },
      fixed_ips: {
        type: 'array',
        maxItems: 4,
        items: {
          type: 'object',
          additionalProperties: false,
          properties: { ip_address: { type: 'string' }, subnet: { type: 'string' } },
        },
      },
      security_groups: { type: 'array', uniqueItems: true, items: { type: 'string' } },
    },
  },
  normalise(spec) {
    const mac = spec['mac_address']
    if (typeof mac !== 'string') return { spec, findings: [] }
    const findings = mac.startsWith('ff') ? [{ code: 'E9001', message: `${mac} is a broadcast address`, at: ['mac_address'] }] : []
    return { spec: { ...spec, mac_address: mac.toLowerCase() }, findings }
  },
})

const host = kind({
  kind: 'host',
  collection: 'hosts',
  scope: 'global',
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: { tunnel_ip: { type: 'string' }, bridge_mappings: { type: 'object', additionalProperties: { type: 'string' } } },
  },
})

const site = kind({
  kind: 'site',
  collection: '',
  scope: 'global',
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      installation: { type: 'string' },
      global_physnet_mtu: { type: 'integer' },
      drift: { type: 'object', additionalProperties: false, properties: { mode: { enum: ['off', 'report', 'repair'] } } },
    },
  },
})

export const TEST_KINDS: readonly KindDefinition[] = [site, host, network, port]
