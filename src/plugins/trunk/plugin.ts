import { trunk as trunkKind } from '../../kinds/trunk/index.ts'
import type { Plugin } from '../plugin.ts'

const ALIAS = 'trunk'

/** Neutron's VLAN-aware ports (B3.17). */
export const trunk: Plugin = {
  name: 'trunk',
  role: 'service',
  summary: 'Several networks through one interface of a guest, told apart by VLAN tags.',
  provides: ['TRUNK'],
  requires: ['CORE'],
  extensions: [
    { alias: ALIAS, summary: 'Trunks with subports.', requires: ['binding'] },
    { alias: 'trunk-details', summary: 'A subport is where its parent is.', requires: [ALIAS] },
  ],
  kinds: () => [{ alias: ALIAS, definition: trunkKind as never }],
  agent_roles: [],
}
