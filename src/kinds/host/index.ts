import { hostSchema } from '../../../schemas/host.ts'
import type { KindDefinition } from '../kind.ts'
import { enumOf } from '../schema.ts'
import { checkHost, hostReferences, normaliseHost } from './check.ts'
import { lowerHost } from './lower.ts'
import { resolveHost } from './resolve.ts'
import type { HostSpec } from './spec.ts'

/** The kind, with the backends that the mechanism drivers know (the first is the default), and the roles that plugins address. */
export function createHost(backends: readonly string[], roles: readonly string[]): KindDefinition<HostSpec> {
  return {
    kind: 'host',
    collection: 'hosts',
    scope: 'global',
    summary: 'A machine that runs netloom-agentd.',
    schema: enumOf(enumOf(hostSchema, ['backend'], backends), ['roles', 'items'], roles),
    after: ['site'],
    mutability: {
      tunnel_ip: 'in place',
      bridge_mappings: 'in place',
      public_key: 'in place',
      backend: 'in place',
      roles: 'in place',
      availability_zone: 'in place',
      description: 'in place',
    },
    unordered: ['roles'],
    normalise: normaliseHost,
    references: hostReferences,
    check: checkHost,
    resolve: (resource, _view, pools) => resolveHost(resource, backends, pools),
    lower: lowerHost,
  }
}
