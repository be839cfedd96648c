import { addressScopeSchema } from '../../../schemas/address-scope.ts'
import { type KindDefinition, NOTHING } from '../kind.ts'
import { normaliseAddressScope } from './check.ts'
import { resolveAddressScope } from './resolve.ts'
import type { AddressScopeSpec } from './spec.ts'

export const addressScope: KindDefinition<AddressScopeSpec> = {
  kind: 'address_scope',
  collection: 'address_scopes',
  scope: 'project',
  summary: 'Subnet pools whose addresses are unique among each other.',
  schema: addressScopeSchema,
  after: [],
  sharing: { by: 'grant', everybody: { shared: 'shared' } },
  // What Neutron takes only at creation.
  mutability: { ip_version: 'recreate' },
  normalise: normaliseAddressScope,
  references: () => [],
  claims: () => false,
  check: () => [],
  resolve: resolveAddressScope,
  // Routers compare the scopes of the networks that they join; alone it asks nothing of the data plane.
  lower: () => NOTHING,
}
