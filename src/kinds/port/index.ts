import { portSchema } from '../../../schemas/port.ts'
import type { KindDefinition } from '../kind.ts'
import { checkPort, portClaims, portReferences } from './check.ts'
import { lowerPort } from './lower.ts'
import { normalisePort } from './normalise.ts'
import { resolvePort } from './resolve.ts'
import type { PortSpec } from './spec.ts'

export const port: KindDefinition<PortSpec> = {
  kind: 'port',
  collection: 'ports',
  scope: 'project',
  summary: 'A connection of one interface to a network.',
  schema: portSchema,
  after: ['network', 'subnet', 'host', 'site'],
  // What a running guest cannot follow: Neutron refuses a new MAC on a bound port.
  mutability: { network: 'recreate', mac_address: 'recreate' },
  normalise: normalisePort,
  references: portReferences,
  claims: portClaims,
  check: checkPort,
  resolve: resolvePort,
  lower: lowerPort,
}
