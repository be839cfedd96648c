import { addressGroupSchema } from '../../../schemas/address-group.ts'
import type { KindDefinition } from '../kind.ts'
import { normaliseAddressGroup } from './check.ts'
import { lowerAddressGroup } from './lower.ts'
import { resolveAddressGroup } from './resolve.ts'
import type { AddressGroupSpec } from './spec.ts'

export const addressGroup: KindDefinition<AddressGroupSpec> = {
  kind: 'address_group',
  collection: 'address_groups',
  scope: 'project',
  summary: 'Addresses and prefixes that rules of security groups name together.',
  schema: addressGroupSchema,
  after: [],
  // As in Neutron, by policies only.
  sharing: { by: 'grant', everybody: { shared: null } },
  mutability: { addresses: 'in place', description: 'in place' },
  unordered: ['addresses'],
  normalise: normaliseAddressGroup,
  references: () => [],
  claims: () => false,
  check: () => [],
  resolve: resolveAddressGroup,
  lower: lowerAddressGroup,
}
