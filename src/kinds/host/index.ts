import { hostSchema } from '../../../schemas/host.ts'
import type { KindDefinition } from '../kind.ts'
import { checkHost, hostReferences, normaliseHost } from './check.ts'
import { lowerHost } from './lower.ts'
import { resolveHost } from './resolve.ts'
import type { HostSpec } from './spec.ts'

export const host: KindDefinition<HostSpec> = {
  kind: 'host',
  collection: 'hosts',
  scope: 'global',
  summary: 'A machine that runs netloom-agentd.',
  schema: hostSchema,
  after: ['site'],
  normalise: normaliseHost,
  references: hostReferences,
  check: checkHost,
  resolve: resolveHost,
  lower: lowerHost,
}
