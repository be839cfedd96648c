import { log as logKind } from '../../kinds/log/index.ts'
import type { Plugin } from '../plugin.ts'
import { ALIAS, limitsOfSite, logsOfPort } from './attributes.ts'

/** Neutron's service plugin `log`: what security groups let pass and what they do not is written down (B3.23). */
export const log: Plugin = {
  name: 'log',
  role: 'service',
  summary: 'What security groups let pass, and what they do not, is written down.',
  provides: ['LOG_API'],
  requires: ['CORE'],
  extensions: [{ alias: ALIAS, summary: 'Logs of connections, with the rule that let each pass.', requires: ['security-group'] }],
  kinds: () => [{ alias: ALIAS, definition: logKind as never }],
  attributes: [limitsOfSite, logsOfPort],
  agent_roles: [],
}
