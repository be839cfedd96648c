import { router as routerKind } from '../../kinds/router/index.ts'
import type { Plugin } from '../plugin.ts'

const ALIAS = 'router'

/** Neutron's L3 service (B3.10), as far as it leads from one network of the installation to another. */
export const router: Plugin = {
  name: 'router',
  role: 'service',
  summary: 'Routers between networks: every host routes for its own ports.',
  provides: ['L3_ROUTER_NAT'],
  requires: ['CORE'],
  extensions: [
    { alias: ALIAS, summary: 'Routers with interfaces on subnets.', requires: ['binding'] },
    { alias: 'extraroute', summary: 'Routes of routers to what is behind others.', requires: [ALIAS], covers: ['router.routes'] },
  ],
  kinds: () => [{ alias: ALIAS, definition: routerKind as never }],
  agent_roles: [],
}
