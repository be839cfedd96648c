import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import { cidrsOverlap, parseCidr } from '../../lib/cidr.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import { displayKey } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Reference, View } from '../kind.ts'
import { affinityFindings } from './affinity.ts'
import { defaultGateway } from './bounds.ts'
import { defaultGatewayFinding } from './check-hosts.ts'
import { pooledFindings } from './pooled.ts'
import { sourceReferences, subnetpoolOf } from './source.ts'
import { subnetCidr } from './spec.ts'

/** A subnet is the network owner's to declare, as in Neutron, where only the owner may create one. */
export function subnetReferences(spec: JsonObject): readonly Reference[] {
  return [{ kind: 'network', name: (spec as SubnetDeclared).network, at: ['network'], access: 'own' }, ...sourceReferences(spec)]
}

/** A certain block of a pool is claimed. */
export function subnetClaims(spec: JsonObject): boolean {
  const { cidr, gateway_ip: gateway, subnetpool, use_default_subnetpool: byDefault } = spec as SubnetDeclared
  return (subnetpool !== undefined || byDefault === true) && (cidr !== undefined || typeof gateway === 'string')
}

/** Rules that need the other subnets of the network, and the pool. */
export function checkSubnet(resource: Declared, view: View): readonly Finding[] {
  const subnet = resource.spec as SubnetDeclared
  const pooled = subnet.subnetpool !== undefined || subnet.use_default_subnetpool === true
  return [
    ...(pooled ? pooledFindings(resource, subnetpoolOf(resource, view), view) : []),
    ...affinityFindings(resource, view),
    ...(subnet.cidr === undefined ? [] : cidrFindings(resource, { ...subnet, cidr: subnet.cidr }, view)),
  ]
}

/**
 * No overlap with another subnet of the same network (Neutron: B3.1); other networks may overlap. Of two, the one whose identity sorts later
 * is told, and the other is named. Blocks that pools chose overlap nothing: subnets of one family come from pools that are apart, or none does.
 */
function cidrFindings(resource: Declared, subnet: SubnetDeclared & { readonly cidr: string }, view: View): readonly Finding[] {
  const own = subnetCidr(subnet)
  const findings: Finding[] = []
  for (const key of view.users(view.ref('network', subnet.network), 'subnet')) {
    if (key >= resource.key) break
    const text = view.declared(key)?.spec['cidr']
    const other = typeof text === 'string' ? parseCidr(text)?.cidr : undefined
    if (other === undefined || !cidrsOverlap(own, other)) continue
    findings.push({
      code: 'E0203',
      message: `cidr ${subnet.cidr} of subnet ${resource.name} overlaps ${displayKey(key)} (${text}) on network ${subnet.network}`,
      at: ['cidr'],
      related: [{ message: `${displayKey(key)} has ${text}`, key, at: ['cidr'] }],
      hint: 'subnets of one network must not overlap: change one of the two',
    })
  }
  if (subnet.gateway_ip === undefined) {
    const finding = defaultGatewayFinding(subnet, own, defaultGateway(own, false))
    if (finding !== undefined) findings.push(finding)
  }
  return findings
}
