import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import { type Cidr, cidrCovers, cidrOf, formatCidr } from '../../lib/cidr.ts'
import { parseIp } from '../../lib/ip.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import { displayKey, type Key } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { View } from '../kind.ts'
import { poolPrefixes, type SubnetpoolSpec } from '../subnetpool/spec.ts'
import { sourcePlace, writtenFamily } from './source.ts'
import { subnetCidr } from './spec.ts'

export type SubnetPool = Resource<SubnetpoolSpec>

/** What a subnet asks of its pool: a certain block, or any of a length (Neutron's specific and "any" requests). */
export type Wanted = { readonly block: Cidr } | { readonly length: number }

/** A written gateway says which block is meant: the one of that length in which it lies (Neutron's `SubnetRequestFactory`). */
export function wantedBlock(subnet: SubnetDeclared, pool: SubnetPool): Wanted {
  if (subnet.cidr !== undefined) return { block: subnetCidr({ cidr: subnet.cidr }) }
  const length = subnet.prefixlen ?? pool.spec.default_prefixlen
  const gateway = typeof subnet.gateway_ip === 'string' ? parseIp(subnet.gateway_ip) : undefined
  return gateway === undefined || gateway.family !== pool.spec.ip_version ? { length } : { block: cidrOf(gateway, length) }
}

/** What a subnet may ask of its pool; from what is written alone (Neutron: B3.2). */
export function pooledFindings(resource: Declared, poolKey: Key | undefined, view: View): readonly Finding[] {
  const subnet = resource.spec as SubnetDeclared
  if (poolKey === undefined) {
    const message = `there is no default subnetpool for IPv${writtenFamily(subnet)}`
    const hint = 'write is_default: true in a subnetpool of that family, or name one with subnetpool'
    return [{ code: 'E0258', message, at: ['use_default_subnetpool'], hint }]
  }
  const pool = view.need<SubnetpoolSpec>(poolKey)
  const fault = faultOf(subnet, pool)
  if (fault === undefined) return []
  return [{ ...fault, related: [{ message: displayKey(pool.key), key: pool.key, at: ['prefixes'] }] }]
}

function faultOf(subnet: SubnetDeclared, pool: SubnetPool): Finding | undefined {
  const { ip_version: family, min_prefixlen: min, max_prefixlen: max } = pool.spec
  const name = displayKey(pool.key)
  if (subnet.ip_version !== undefined && subnet.ip_version !== family) {
    const message = `ip_version ${subnet.ip_version} does not fit ${name}, which is IPv${family}`
    return { code: 'E0212', message, at: ['ip_version'], hint: `write ip_version: ${family}, or leave it out` }
  }
  const wanted = wantedBlock(subnet, pool)
  const block = 'block' in wanted ? wanted.block : undefined
  const length = block?.prefix ?? ('length' in wanted ? wanted.length : min)
  if ((block === undefined || block.family === family) && (length < min || length > max)) {
    const message = `a /${length} cannot be had from ${name}: it gives /${min} to /${max}`
    return { code: 'E0259', message, at: sourcePlace(subnet), hint: `ask for a block from /${min} to /${max}` }
  }
  if (block === undefined || poolPrefixes(pool.spec).some((p) => cidrCovers(p, block))) return undefined
  const message = `${formatCidr(block)} is not within ${name} (${prefixesText(pool)})`
  return { code: 'E0260', message, at: certainPlace(subnet), hint: 'write a block of the pool, or add its prefix to the pool' }
}

/** The attribute that says which block is meant. */
export function certainPlace(subnet: SubnetDeclared): ValuePath {
  return [subnet.cidr === undefined ? 'gateway_ip' : 'cidr']
}

const SHOWN_PREFIXES = 3

export function prefixesText({ spec: { prefixes } }: SubnetPool): string {
  const more = prefixes.length - SHOWN_PREFIXES
  return `${prefixes.slice(0, SHOWN_PREFIXES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
