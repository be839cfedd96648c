import { createTapFlow } from '../../kinds/tap_flow/index.ts'
import { tapMirror } from '../../kinds/tap_mirror/index.ts'
import { createTapService } from '../../kinds/tap_service/index.ts'
import type { Plugin } from '../plugin.ts'

const ALIAS = 'taas'
const MIRROR = 'tap-mirror'

/** Neutron's tap-as-a-service: copies of what ports send and receive, for a port or a collector outside. */
export const taas: Plugin = {
  name: 'taas',
  role: 'service',
  summary: 'Copies of what ports send and receive.',
  provides: ['TAAS'],
  requires: ['CORE'],
  extensions: [
    { alias: ALIAS, summary: 'Copies for a port, on any host.', requires: ['binding'] },
    { alias: MIRROR, summary: 'Copies for a collector outside, by GRE or ERSPAN.', requires: [ALIAS] },
    { alias: 'tap-mirror-both-direction', summary: 'Both directions under one number.', requires: [MIRROR] },
  ],
  kinds: ({ types }) => [
    { alias: ALIAS, definition: createTapService(types) as never },
    { alias: ALIAS, definition: createTapFlow(types) as never },
    { alias: MIRROR, definition: tapMirror as never },
  ],
  agent_roles: [],
}
