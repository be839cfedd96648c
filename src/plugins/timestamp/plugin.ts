import type { Plugin } from '../plugin.ts'

const ALIAS = 'standard-attr-timestamp'

/** When a resource was made, and when it last changed: read from the revisions, nobody has to keep it. */
export const timestamp: Plugin = {
  name: 'timestamp',
  role: 'service',
  summary: 'When each resource was made and last changed.',
  provides: ['TIMESTAMP'],
  extensions: [{ alias: ALIAS, summary: 'created_at and updated_at of every resource.' }],
  computed: [
    {
      alias: ALIAS,
      names: ['created_at', 'updated_at'],
      of: (life) => ({ created_at: life[0]?.at ?? null, updated_at: life.at(-1)?.at ?? null }),
    },
  ],
  agent_roles: [],
}
