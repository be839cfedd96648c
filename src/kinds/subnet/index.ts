import { subnetSchema } from '../../../schemas/subnet.ts'
import type { KindDefinition } from '../kind.ts'
import { checkSubnet, subnetClaims, subnetReferences } from './check.ts'
import { lowerSubnet } from './lower.ts'
import { normaliseSubnet } from './normalise.ts'
import { resolveSubnet } from './resolve.ts'
import type { SubnetSpec } from './spec.ts'

export const subnet: KindDefinition<SubnetSpec> = {
  kind: 'subnet',
  collection: 'subnets',
  scope: 'project',
  summary: 'A block of addresses on a network.',
  schema: subnetSchema,
  after: ['network', 'subnetpool'],
  sharing: { by: 'whole', kind: 'network', attribute: 'network' },
  // What Neutron takes only at creation.
  mutability: { network: 'recreate', cidr: 'recreate', ip_version: 'recreate', ipv6_ra_mode: 'recreate', ipv6_address_mode: 'recreate' },
  normalise: normaliseSubnet,
  references: subnetReferences,
  claims: subnetClaims,
  check: checkSubnet,
  resolve: resolveSubnet,
  lower: lowerSubnet,
}
