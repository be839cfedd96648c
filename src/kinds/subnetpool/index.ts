import { subnetpoolSchema } from '../../../schemas/subnetpool.ts'
import { type KindDefinition, NOTHING } from '../kind.ts'
import { checkSubnetpool, subnetpoolReferences } from './check.ts'
import { normaliseSubnetpool } from './normalise.ts'
import { resolveSubnetpool } from './resolve.ts'
import type { SubnetpoolSpec } from './spec.ts'

export const subnetpool: KindDefinition<SubnetpoolSpec> = {
  kind: 'subnetpool',
  collection: 'subnetpools',
  scope: 'project',
  summary: 'Prefixes from which subnets get their blocks.',
  schema: subnetpoolSchema,
  after: ['address_scope'],
  sharing: { by: 'grant', everybody: { shared: 'shared' } },
  normalise: normaliseSubnetpool,
  references: subnetpoolReferences,
  claims: () => false,
  check: checkSubnetpool,
  resolve: resolveSubnetpool,
  // Its blocks reach hosts through subnets and their ports.
  lower: () => NOTHING,
}
