import { siteSchema } from '../../../schemas/site.ts'
import { type KindDefinition, NOTHING, type Site } from '../kind.ts'
import { enumOf, withDefaults } from '../schema.ts'
import { checkSite, normaliseSite, type SiteOffer, siteReferences } from './check.ts'
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
    mutability: {
      installation: 'in place',
      core_plugin: 'in place',
      service_plugins: 'in place',
      disabled_plugins: 'in place',
      overrides: 'in place',
      mechanism_drivers: 'in place',
      type_drivers: 'in place',
      project_network_types: 'in place',
      external_network_types: 'in place',
      flat_networks: 'in place',
      network_vlan_ranges: 'in place',
      vni_ranges: 'in place',
      geneve_ranges: 'in place',
      tunnel_id_ranges: 'in place',
      global_physnet_mtu: 'in place',
      path_mtu: 'in place',
      physical_network_mtus: 'in place',
      overlay_ip_version: 'in place',
      geneve_max_header_size: 'in place',
      igmp_snooping_enable: 'in place',
      igmp_querier: 'in place',
      igmp_query_interval: 'in place',
      base_mac: 'in place',
      default_security_group_rules: 'in place',
      endpoints: 'in place',
      source: 'in place',
      drift: 'in place',
      guards: 'in place',
      workers: 'in place',
    },
    unordered: ['default_security_group_rules'],
    normalise: normaliseSite,
    references: siteReferences,
    check: (resource) => checkSite(resource, offer),
    resolve: (resource) => resolveSite(resource, offer),
    lower: () => NOTHING,
  }
}
