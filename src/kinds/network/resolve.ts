import type { NetworkDeclared } from '../../../schemas/network.ts'
import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import type { Pools, Resolved, Site, View } from '../kind.ts'
import { sourcePlace } from '../subnet/source.ts'
import { subnetFamilies } from './check.ts'
import { globalMtu, type MaximumMtu, SMALLEST_MTU } from './mtu.ts'
import { resolveSegments } from './segment.ts'
import type { NetworkSpec, Segment } from './spec.ts'
import type { TypeDrivers } from './type-driver.ts'

export function resolveNetwork(resource: Declared, types: TypeDrivers, view: View, pools: Pools): Resolved<NetworkSpec> {
  const network = resource.spec as NetworkDeclared
  const site = view.site()
  const found = resolveSegments(resource, types, view, pools)
  const segments = found.flatMap((f) => (f.ok ? [f.segment] : []))
  const faults = found.flatMap((f) => (f.ok ? [] : [f.finding]))
  const least = narrowest(segments, types, site)
  const mtu = network.mtu ?? least.mtu
  const findings = faults.length === 0 ? mtuFindings(resource, mtu, least, view) : faults
  const spec: NetworkSpec = {
    ...(network.segments === undefined ? segments[0] : { segments }),
    mtu,
    admin_state_up: network.admin_state_up ?? true,
    port_security_enabled: network.port_security_enabled ?? true,
    shared: network.shared ?? false,
    external: network.external ?? false,
    ...written(network),
    availability_zone_hints: network.availability_zone_hints ?? [],
    description: network.description ?? '',
  }
  return { spec, findings }
}

/** What has no default of the network's own. */
function written({ igmp_snooping_enable, vlan_transparent, qinq }: NetworkDeclared): Partial<NetworkSpec> {
  return {
    ...(igmp_snooping_enable === undefined ? {} : { igmp_snooping_enable }),
    ...(vlan_transparent === undefined ? {} : { vlan_transparent }),
    ...(qinq === undefined ? {} : { qinq }),
  }
}

/** What the network carries: no more than any of its segments. */
function narrowest(segments: readonly Segment[], types: TypeDrivers, site: Site): Narrowest {
  const all = segments.map((s): Narrowest => {
    const maximum = types.get(s.network_type)?.maximumMtu(site, s.physical_network) ?? globalMtu(site)
    return { ...maximum, by: `a ${s.network_type} ${segments.length > 1 ? 'segment' : 'network'}` }
  })
  return all.reduce((a, b) => (b.mtu < a.mtu ? b : a), all[0] ?? { ...globalMtu(site), by: 'a network' })
}

type Narrowest = MaximumMtu & { readonly by: string }

/** Not above what the type carries, not below what the subnets' IP versions need (Neutron: B3.4; it looks at the second too late, B4). */
function mtuFindings(resource: Declared, mtu: number, maximum: Narrowest, view: View): readonly Finding[] {
  const written = (resource.spec as NetworkDeclared).mtu !== undefined
  const at = written ? ['mtu'] : []
  if (mtu > maximum.mtu) {
    const message = `mtu ${mtu} is more than ${maximum.by} carries here: ${maximum.arithmetic}`
    return [{ code: 'E0208', message, at, hint: `write mtu: ${maximum.mtu}, or leave it out` }]
  }
  const findings: Finding[] = []
  for (const [family, subnet] of subnetFamilies(resource.key, view)) {
    const least = SMALLEST_MTU[family]
    if (mtu >= least) continue
    const message = `mtu ${mtu} of network ${resource.name} is below ${least}, the least that IPv${family} works with (subnet ${subnet.name})`
    const related = [{ message: `an IPv${family} subnet`, key: subnet.key, at: sourcePlace(subnet.spec as SubnetDeclared) }]
    const hint = written ? `write at least ${least}` : `${maximum.arithmetic}: raise it in netloom.yaml`
    findings.push({ code: 'E0209', message, at, related, hint })
  }
  return findings
}
