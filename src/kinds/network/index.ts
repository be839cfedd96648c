import { networkSchema } from '../../../schemas/network.ts'
import type { KindDefinition } from '../kind.ts'
import { enumOf } from '../schema.ts'
import { checkNetwork, networkClaims, networkReferences, normaliseNetwork } from './check.ts'
import { lowerNetwork } from './lower.ts'
import { resolveNetwork } from './resolve.ts'
import type { NetworkSpec } from './spec.ts'
import type { TypeDrivers } from './type-driver.ts'

/** The kind, with the types that the drivers offer. */
export function createNetwork(types: TypeDrivers): KindDefinition<NetworkSpec> {
  return {
    kind: 'network',
    collection: 'networks',
    scope: 'project',
    summary: 'An isolated layer-2 segment that ports connect to.',
    schema: enumOf(networkSchema, ['network_type'], [...types.keys()]),
    after: ['site', 'network_segment_range'],
    sharing: { by: 'grant', everybody: { shared: 'shared', external: 'external' } },
    normalise: (spec) => normaliseNetwork(spec, types),
    references: networkReferences,
    claims: (spec) => networkClaims(spec, types),
    check: (resource, view) => checkNetwork(resource, view, types),
    resolve: (resource, view, pools) => resolveNetwork(resource, types, view, pools),
    lower: (resource) => lowerNetwork(resource, types),
  }
}
