import { routerSchema } from '../../../schemas/router.ts'
import type { KindDefinition } from '../kind.ts'
import { checkRouter } from './check.ts'
import { lowerRouter } from './lower.ts'
import { normaliseRouter, routerReferences } from './normalise.ts'
import { resolveRouter, routerClaims } from './resolve.ts'
import type { RouterSpec } from './spec.ts'

export const router: KindDefinition<RouterSpec> = {
  kind: 'router',
  collection: 'routers',
  scope: 'project',
  summary: 'What leads from one network to others. Every host routes for its own ports.',
  schema: routerSchema,
  after: ['network', 'subnet', 'port'],
  mutability: { interfaces: 'in place', routes: 'in place', admin_state_up: 'in place', description: 'in place' },
  unordered: ['interfaces', 'routes'],
  normalise: normaliseRouter,
  references: routerReferences,
  claims: routerClaims,
  check: checkRouter,
  resolve: resolveRouter,
  lower: lowerRouter,
}
