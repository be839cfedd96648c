import { portSchema } from '../../../schemas/port.ts'
import type { KindDefinition } from '../kind.ts'
import type { Binders } from './binding.ts'
import { checkPort, portClaims, portReferences } from './check.ts'
import { lowerPort } from './lower.ts'
import { normalisePort } from './normalise.ts'
import { resolvePort } from './resolve.ts'
import { impliedGroups } from './security-groups.ts'
import type { PortSpec } from './spec.ts'

/** The kind, with the drivers that bind its ports. */
export function createPort(drivers: Omit<Binders, 'shared'>): KindDefinition<PortSpec> {
  const binders: Binders = { ...drivers, shared: new Map() }
  return {
    kind: 'port',
    collection: 'ports',
    scope: 'project',
    summary: 'A connection of one interface to a network.',
    schema: portSchema,
    after: ['network', 'subnet', 'host', 'security_group', 'site'],
    // What a running guest cannot follow: Neutron refuses a new MAC on a bound port.
    mutability: {
      network: 'recreate',
      mac_address: 'recreate',
      host: 'in place',
      migrating_to: 'in place',
      fixed_ips: 'in place',
      admin_state_up: 'in place',
      port_security_enabled: 'in place',
      security_groups: 'in place',
      allowed_address_pairs: 'in place',
      vnic_type: 'in place',
      device_id: 'in place',
      device_owner: 'in place',
      plug: 'in place',
      description: 'in place',
    },
    unordered: ['fixed_ips', 'security_groups', 'allowed_address_pairs'],
    normalise: normalisePort,
    references: portReferences,
    implies: impliedGroups,
    claims: portClaims,
    check: (resource, view) => checkPort(resource, view, binders),
    resolve: (resource, view, pools) => resolvePort(resource, binders, view, pools),
    lower: lowerPort,
  }
}
