import { networkSchema } from '../../../schemas/network.ts'
import type { KindDefinition } from '../kind.ts'
import { checkNetwork, networkClaims, networkReferences, normaliseNetwork } from './check.ts'
import { lowerNetwork } from './lower.ts'
import { resolveNetwork } from './resolve.ts'
import type { NetworkSpec } from './spec.ts'

export const network: KindDefinition<NetworkSpec> = {
  kind: 'network',
  collection: 'networks',
  scope: 'project',
  summary: 'An isolated layer-2 segment that ports connect to.',
  schema: networkSchema,
  after: ['site'],
  normalise: normaliseNetwork,
  references: networkReferences,
  claims: networkClaims,
  check: checkNetwork,
  resolve: resolveNetwork,
  lower: lowerNetwork,
}
