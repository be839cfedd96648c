import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import type { SubnetpoolDeclared } from '../../../schemas/subnetpool.ts'
import type { Finding } from '../../model/issue.ts'
import { displayKey, type Key, namedKey } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { View } from '../kind.ts'
import { sourcePlace, subnetFamily, subnetpoolOf } from './source.ts'

/**
 * All subnets of one family on a network come from one pool, from pools of one address scope, or from none (Neutron's affinity, B3.2): that is what keeps their blocks apart. Of two, the one whose identity sorts later is told,
 * and the other is named.
 */
export function affinityFindings(resource: Declared, view: View): readonly Finding[] {
  const subnet = resource.spec as SubnetDeclared
  const family = subnetFamily(resource, view)
  const own = subnetpoolOf(resource, view)
  for (const key of view.users(view.ref('network', subnet.network), 'subnet')) {
    if (key >= resource.key) break
    const other = view.declared(key)
    if (other === undefined || subnetFamily(other, view) !== family) continue
    const theirs = subnetpoolOf(other, view)
    if (own === theirs || shareScope(own, theirs, view)) continue
    const message = `subnet ${resource.name} takes its IPv${family} block from ${nameOf(own)}, ${displayKey(key)} on the same network ${subnet.network} from ${nameOf(theirs)}`
    const related = [{ message: `${displayKey(key)} takes it from ${nameOf(theirs)}`, key, at: sourcePlace(other.spec as SubnetDeclared) }]
    const hint = `subnets of one family on a network come from one pool, or from pools of one address scope: ${theirs === undefined ? 'write a cidr and no pool' : `use ${displayKey(theirs)}`}`
    return [{ code: 'E0263', message, at: sourcePlace(subnet), related, hint }]
  }
  return []
}

function nameOf(pool: Key | undefined): string {
  return pool === undefined ? 'no pool' : displayKey(pool)
}

function shareScope(a: Key | undefined, b: Key | undefined, view: View): boolean {
  const scope = scopeOf(a, view)
  return scope !== undefined && scope === scopeOf(b, view)
}

function scopeOf(pool: Key | undefined, view: View): Key | undefined {
  const declared = pool === undefined ? undefined : view.declared(pool)
  const name = (declared?.spec as SubnetpoolDeclared | undefined)?.address_scope
  return declared === undefined || name === undefined ? undefined : namedKey('address_scope', declared.project, name)
}
