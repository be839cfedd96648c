import { trunkSchema } from '../../../schemas/trunk.ts'
import type { KindDefinition } from '../kind.ts'
import { checkTrunk } from './check.ts'
import { lowerTrunk } from './lower.ts'
import { normaliseTrunk, trunkReferences } from './normalise.ts'
import { resolveTrunk } from './resolve.ts'
import type { TrunkSpec } from './spec.ts'

export const trunk: KindDefinition<TrunkSpec> = {
  kind: 'trunk',
  collection: 'trunks',
  scope: 'project',
  summary: 'A port whose guest reaches several networks through one interface, told apart by VLAN tags.',
  schema: trunkSchema,
  after: ['port', 'network'],
  mutability: { port: 'recreate', subports: 'in place', admin_state_up: 'in place', description: 'in place' },
  unordered: ['subports'],
  normalise: normaliseTrunk,
  references: trunkReferences,
  claims: () => false,
  check: checkTrunk,
  resolve: resolveTrunk,
  lower: lowerTrunk,
}
