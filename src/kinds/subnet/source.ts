import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import type { SubnetpoolDeclared } from '../../../schemas/subnetpool.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import { type Key, namedKey } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Reference, View } from '../kind.ts'
import { DEFAULT_SUBNETPOOL, poolFamily } from '../subnetpool/spec.ts'

/** Where a subnet's block comes from: `cidr`, a pool, or both (that block of the pool). Needs no other resource. */
export function sourceFindings(subnet: SubnetDeclared): Finding[] {
  const { cidr, subnetpool, prefixlen, allocation_pools: ranges, ip_version: version } = subnet
  const byDefault = subnet.use_default_subnetpool === true
  const pooled = subnetpool !== undefined || byDefault
  const bad = (message: string, at: string, hint: string): Finding[] => [{ code: 'E0257', message, at: at === '' ? [] : [at], hint }]
  if (cidr === undefined && !pooled)
    return bad('the subnet has neither a cidr nor a subnetpool', '', 'write cidr: 10.10.0.0/24, or a subnetpool')
  if (subnetpool !== undefined && byDefault)
    return bad(`subnetpool ${subnetpool} and use_default_subnetpool exclude each other`, 'use_default_subnetpool', 'keep one of the two')
  if (prefixlen !== undefined && !pooled)
    return bad('prefixlen is for blocks that a subnetpool chooses', 'prefixlen', 'remove prefixlen, or add a subnetpool')
  if (prefixlen !== undefined && cidr !== undefined)
    return bad(`cidr ${cidr} says its length already`, 'prefixlen', 'remove prefixlen, or cidr to get a free block')
  if (ranges !== undefined && cidr === undefined)
    return bad(
      'allocation_pools need a cidr: which addresses there will be is not known yet',
      'allocation_pools',
      'remove them, or write the cidr of a block of the pool',
    )
  if (byDefault && cidr === undefined && version === undefined)
    return bad('use_default_subnetpool does not say which family is wanted', 'use_default_subnetpool', 'add ip_version: 4, or 6')
  return []
}

/** A subnet that uses a default pool mentions the family whose default it is. */
export function sourceReferences(spec: JsonObject): readonly Reference[] {
  const subnet = spec as SubnetDeclared
  if (subnet.subnetpool !== undefined) return [{ kind: 'subnetpool', name: subnet.subnetpool, at: ['subnetpool'] }]
  if (subnet.use_default_subnetpool !== true) return []
  return [{ kind: DEFAULT_SUBNETPOOL, name: String(writtenFamily(subnet)), at: ['use_default_subnetpool'], open: true }]
}

/** What a subnet says of its family itself. */
export function writtenFamily({ cidr, ip_version: version }: SubnetDeclared): 4 | 6 {
  if (cidr !== undefined) return cidr.includes(':') ? 6 : 4
  return version === 6 ? 6 : 4
}

/** The pool of a subnet, its own or another one's; from what is declared, so that subnets may look at each other. Undefined: it has none. */
export function subnetpoolOf(resource: Declared, view: View): Key | undefined {
  const subnet = resource.spec as SubnetDeclared
  if (subnet.subnetpool !== undefined) return namedKey('subnetpool', resource.project, subnet.subnetpool)
  if (subnet.use_default_subnetpool !== true) return undefined
  return view.users(view.ref(DEFAULT_SUBNETPOOL, String(writtenFamily(subnet))), 'subnetpool')[0]
}

/** The family of a declared subnet: what its cidr is, or its pool. */
export function subnetFamily(resource: Declared, view: View): 4 | 6 {
  const subnet = resource.spec as SubnetDeclared
  if (subnet.cidr !== undefined || subnet.subnetpool === undefined) return writtenFamily(subnet)
  const pool = view.declared(namedKey('subnetpool', resource.project, subnet.subnetpool))
  return pool === undefined ? writtenFamily(subnet) : poolFamily(pool.spec as SubnetpoolDeclared)
}

/** The attribute that says what block it is. */
export function sourcePlace(subnet: SubnetDeclared): ValuePath {
  if (subnet.cidr !== undefined) return ['cidr']
  if (subnet.prefixlen !== undefined) return ['prefixlen']
  return [subnet.subnetpool === undefined ? 'use_default_subnetpool' : 'subnetpool']
}
