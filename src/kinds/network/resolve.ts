import type { NetworkDeclared } from '../../../schemas/network.ts'
import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import type { Pools, Resolved, View } from '../kind.ts'
import { sourcePlace } from '../subnet/source.ts'
import { subnetFamilies } from './check.ts'
import { globalMtu, type MaximumMtu, SMALLEST_MTU } from './mtu.ts'
import { resolveSegment, type Segment } from './segment.ts'
import type { NetworkSpec } from './spec.ts'
import type { TypeDrivers } from './type-driver.ts'

export function resolveNetwork(resource: Declared, types: TypeDrivers, view: View, pools: Pools): Resolved<NetworkSpec> {
  const network = resource.spec as NetworkDeclared
  const site = view.site()
  const found = resolveSegment(resource, types, view, pools)
  const segment: Segment = found.ok ? found.segment : { network_type: 'local' }
  const maximum = types.get(segment.network_type)?.maximumMtu(site, segment.physical_network) ?? globalMtu(site)
  const mtu = network.mtu ?? maximum.mtu
  const findings = found.ok ? mtuFindings(resource, mtu, segment, maximum, view) : [found.finding]
  const spec: NetworkSpec = {
    ...segment,
    mtu,
    admin_state_up: network.admin_state_up ?? true,
    port_security_enabled: network.port_security_enabled ?? true,
    shared: network.shared ?? false,
    external: network.external ?? false,
    availability_zone_hints: network.availability_zone_hints ?? [],
    description: network.description ?? '',
  }
  return { spec, findings }
}

/** Not above what the type carries, not below what the subnets' IP versions need (Neutron: B3.4; it looks at the second too late, B4). */
function mtuFindings(resource: Declared, mtu: number, segment: Segment, maximum: MaximumMtu, view: View): readonly Finding[] {
  const written = (resource.spec as NetworkDeclared).mtu !== undefined
  const at = written ? ['mtu'] : []
  if (mtu > maximum.mtu) {
    const message = `mtu ${mtu} is more than a ${segment.network_type} network carries here: ${maximum.arithmetic}`
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
