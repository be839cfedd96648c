import { siteSchema } from '../../../schemas/site.ts'
import { type KindDefinition, NOTHING, type Site } from '../kind.ts'
import { checkSite, normaliseSite } from './check.ts'
import { resolveSite } from './resolve.ts'

export const site: KindDefinition<Site> = {
  kind: 'site',
  // The site file's attributes stand at its top level.
  collection: '',
  scope: 'global',
  summary: 'What holds for the whole installation: network types and their ranges, MTUs, endpoints, drift, guards.',
  schema: siteSchema,
  after: [],
  normalise: normaliseSite,
  references: () => [],
  check: checkSite,
  resolve: resolveSite,
  lower: () => NOTHING,
}
