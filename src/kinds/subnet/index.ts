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
  // What Neutron takes only at creation re-creates. Where a block comes from may change: another block is another cidr.
  mutability: {
    network: 'recreate',
    cidr: 'recreate',
    ip_version: 'recreate',
    ipv6_ra_mode: 'recreate',
    ipv6_address_mode: 'recreate',
    subnetpool: 'in place',
    prefixlen: 'in place',
    use_default_subnetpool: 'in place',
    gateway_ip: 'in place',
    allocation_pools: 'in place',
    enable_dhcp: 'in place',
    dns_nameservers: 'in place',
    host_routes: 'in place',
    segment: 'in place',
    service_types: 'in place',
    description: 'in place',
  },
  unordered: ['allocation_pools', 'host_routes'],
  normalise: normaliseSubnet,
  references: subnetReferences,
  claims: subnetClaims,
  check: checkSubnet,
  resolve: resolveSubnet,
  lower: lowerSubnet,
}
