import type { NetworkDeclared } from '../../../schemas/network.ts'
import { networkSchema } from '../../../schemas/network.ts'
import type { KindDefinition } from '../kind.ts'
import type { MechanismDriver } from '../port/mechanism-driver.ts'
import { enumOf } from '../schema.ts'
import { checkNetwork, networkClaims, networkReferences, normaliseNetwork } from './check.ts'
import { lowerNetwork } from './lower.ts'
import { resolveNetwork } from './resolve.ts'
import type { NetworkSpec } from './spec.ts'
import { transparencyFindings } from './transparency.ts'
import type { TypeDrivers } from './type-driver.ts'

export interface NetworkDrivers {
  readonly types: TypeDrivers
  readonly mechanisms: readonly MechanismDriver[]
}

/** The kind, with the types that the drivers offer. */
export function createNetwork({ types, mechanisms }: NetworkDrivers): KindDefinition<NetworkSpec> {
  const names = [...types.keys()]
  return {
    kind: 'network',
    collection: 'networks',
    scope: 'project',
    summary: 'An isolated layer-2 segment that ports connect to.',
    schema: enumOf(enumOf(networkSchema, ['network_type'], names), ['segments', 'items', 'properties', 'network_type'], names),
    after: ['site', 'network_segment_range'],
    sharing: { by: 'grant', everybody: { shared: 'shared', external: 'external' } },
    // Neutron keeps a network's carriage but for a VLAN's number; here hosts change over, each when its agent converges.
    mutability: {
      network_type: 'in place',
      physical_network: 'in place',
      segmentation_id: 'in place',
      segments: 'in place',
      mtu: 'in place',
      admin_state_up: 'in place',
      port_security_enabled: 'in place',
      shared: 'in place',
      availability_zone_hints: 'in place',
      external: 'in place',
      igmp_snooping_enable: 'in place',
      vlan_transparent: 'immutable',
      qinq: 'immutable',
      description: 'in place',
    },
    normalise: (spec) => normaliseNetwork(spec, types),
    references: networkReferences,
    claims: (spec) => networkClaims(spec, types),
    check: (resource, view) => [
      ...checkNetwork(resource, view, types),
      ...transparencyFindings(resource.spec as NetworkDeclared, mechanisms),
    ],
    resolve: (resource, view, pools) => resolveNetwork(resource, types, view, pools),
    lower: (resource, view) => lowerNetwork(resource, types, view.site()),
  }
}
