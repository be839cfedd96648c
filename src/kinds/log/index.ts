import { logSchema } from '../../../schemas/log.ts'
import { type KindDefinition, NOTHING } from '../kind.ts'
import { checkLog, impliedGroups, logReferences } from './check.ts'
import { resolveLog } from './resolve.ts'
import type { LogSpec } from './spec.ts'

export const log: KindDefinition<LogSpec> = {
  kind: 'log',
  collection: 'logs',
  scope: 'project',
  summary: 'Which connections are written down, with the rule that lets each pass.',
  schema: logSchema,
  after: ['port', 'security_group'],
  mutability: {
    resource_type: 'in place',
    security_group: 'in place',
    port: 'in place',
    event: 'in place',
    enabled: 'in place',
    description: 'in place',
  },
  normalise: (spec) => ({ spec, findings: [] }),
  references: logReferences,
  implies: impliedGroups,
  claims: () => false,
  check: checkLog,
  resolve: resolveLog,
  // Ports say it themselves: what is logged is theirs.
  lower: () => NOTHING,
}
