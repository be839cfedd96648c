import type { Plugin } from '../plugin.ts'

const ALIAS = 'standard-attr-revisions'

/** How often a resource has changed: 1 when it is new. Other than Neutron's it does not count changes of what belongs to it (a subnet's are not its network's). */
export const revisions: Plugin = {
  name: 'revisions',
  role: 'service',
  summary: 'How often each resource has changed.',
  provides: ['REVISIONS'],
  extensions: [{ alias: ALIAS, summary: 'revision_number of every resource.' }],
  computed: [{ alias: ALIAS, names: ['revision_number'], of: (life) => ({ revision_number: life.length }) }],
  agent_roles: [],
}
