import type { SiteDeclared } from '../../../schemas/site.ts'
import { compareText } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved, Site } from '../kind.ts'
import { ruleText, type TemplateRule } from '../security_group/spec.ts'
import type { SiteOffer } from './check.ts'
import { DEFAULT_SITE } from './spec.ts'

/** Fills every default in; nested maps are filled member by member. */
export function resolveSite(resource: Declared, offer: SiteOffer): Resolved<Site> {
  const site = resource.spec as SiteDeclared
  const { default_security_group_rules: template, ...own } = site
  const spec: Site = {
    ...DEFAULT_SITE,
    type_drivers: [...offer.types.keys()],
    ...own,
    // Rules are in normal form: `normalise` has seen to that. A set, whose order is no difference.
    ...(template === undefined ? {} : { default_security_group_rules: sortedRules(template as readonly TemplateRule[]) }),
    overlay_ip_version: site.overlay_ip_version ?? DEFAULT_SITE.overlay_ip_version,
    network_vlan_ranges: (site.network_vlan_ranges ?? DEFAULT_SITE.network_vlan_ranges).map((r) => ({
      physical_network: r.physical_network,
      from: r.from ?? 1,
      to: r.to ?? 4094,
    })),
    endpoints: { ...DEFAULT_SITE.endpoints, ...site.endpoints },
    workers: { ...DEFAULT_SITE.workers, ...site.workers },
    drift: { ...DEFAULT_SITE.drift, ...site.drift },
    guards: { ...DEFAULT_SITE.guards, ...site.guards },
  }
  return { spec, findings: [] }
}

function sortedRules(rules: readonly TemplateRule[]): readonly TemplateRule[] {
  return [...rules].sort((a, b) => compareText(ruleText(a), ruleText(b)))
}
