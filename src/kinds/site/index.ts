import { siteSchema } from '../../../schemas/site.ts'
import { type KindDefinition, NOTHING, type Site } from '../kind.ts'
import { enumOf, withDefaults } from '../schema.ts'
import { checkSite, normaliseSite, type SiteOffer } from './check.ts'
import { resolveSite } from './resolve.ts'
import { DEFAULT_SITE } from './spec.ts'

/** The kind, with what the loaded plugins offer. */
export function createSite(offer: SiteOffer): KindDefinition<Site> {
  const types = [...offer.types.keys()]
  const automatic = types.filter((name) => offer.types.get(name)?.automatic === true)
  const schema = enumOf(
    enumOf(enumOf(siteSchema, ['type_drivers', 'items'], types), ['project_network_types', 'items'], automatic),
    ['external_network_types', 'items'],
    automatic,
  )
  return {
    kind: 'site',
    // The site file's attributes stand at its top level.
    collection: '',
    scope: 'global',
    summary: 'What holds for the whole installation: plugins, network types and their ranges, MTUs, endpoints, drift, guards.',
    schema: withDefaults(schema, { ...DEFAULT_SITE, type_drivers: types }),
    after: [],
    normalise: normaliseSite,
    references: () => [],
    check: (resource) => checkSite(resource, offer),
    resolve: (resource) => resolveSite(resource, offer),
    lower: () => NOTHING,
  }
}
