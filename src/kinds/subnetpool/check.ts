import type { SubnetpoolDeclared } from '../../../schemas/subnetpool.ts'
import { cidrsOverlap, formatCidr } from '../../lib/cidr.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import { displayKey } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { AddressScopeSpec } from '../address_scope/spec.ts'
import type { Reference, View } from '../kind.ts'
import { quotaFindings } from './quota.ts'
import { DEFAULT_SUBNETPOOL, poolFamily, poolPrefixes } from './spec.ts'

/** A default pool mentions that it is the one of its family. */
export function subnetpoolReferences(spec: JsonObject): readonly Reference[] {
  const pool = spec as SubnetpoolDeclared
  const references: Reference[] = []
  if (pool.address_scope !== undefined) references.push({ kind: 'address_scope', name: pool.address_scope, at: ['address_scope'] })
  if (pool.is_default === true)
    references.push({ kind: DEFAULT_SUBNETPOOL, name: String(poolFamily(pool)), at: ['is_default'], open: true })
  return references
}

/** Rules that need scopes, other pools and subnets (Neutron: B3.2). */
export function checkSubnetpool(resource: Declared, view: View): readonly Finding[] {
  return [...scopeFindings(resource, view), ...defaultFindings(resource, view), ...quotaFindings(resource, view)]
}

/** Pools of one scope have its family and do not overlap. Of two, the one whose identity sorts later is told, and the other is named. */
function scopeFindings(resource: Declared, view: View): Finding[] {
  const pool = resource.spec as SubnetpoolDeclared
  const { address_scope: name } = pool
  if (name === undefined) return []
  const scope = view.need<AddressScopeSpec>(view.ref('address_scope', name))
  const family = poolFamily(pool)
  if (scope.spec.ip_version !== family) {
    const message = `subnetpool ${resource.name} is IPv${family}, ${displayKey(scope.key)} is IPv${scope.spec.ip_version}`
    const related = [{ message: displayKey(scope.key), key: scope.key, at: ['ip_version'] }]
    return [{ code: 'E0253', message, at: ['address_scope'], related, hint: `name a scope with ip_version: ${family}` }]
  }
  const findings: Finding[] = []
  if (pool.shared === true && !scope.spec.shared) {
    const message = `subnetpool ${resource.name} is shared, and ${displayKey(scope.key)} is not`
    const related = [{ message: displayKey(scope.key), key: scope.key, at: ['shared'] }]
    findings.push({
      code: 'E0265',
      message,
      at: ['shared'],
      related,
      hint: `write shared: true on ${displayKey(scope.key)} too, or leave it out here`,
    })
  }
  const own = poolPrefixes(pool)
  for (const key of view.users(scope.key, 'subnetpool')) {
    if (key >= resource.key) break
    const other = view.declared(key)?.spec as SubnetpoolDeclared | undefined
    const theirs = other === undefined ? [] : poolPrefixes(other)
    for (const prefix of own) {
      const met = theirs.find((t) => cidrsOverlap(t, prefix))
      if (met === undefined) continue
      const message = `prefix ${formatCidr(prefix)} of subnetpool ${resource.name} overlaps ${displayKey(key)} (${formatCidr(met)}) in address scope ${name}`
      const related = [{ message: `${displayKey(key)} has ${formatCidr(met)}`, key, at: ['prefixes'] }]
      const hint = 'pools of one scope must not overlap: change one of the two, or take one out of the scope'
      findings.push({ code: 'E0254', message, at: ['prefixes'], related, hint })
    }
  }
  return findings
}

/** One default pool of a family in the whole installation. */
function defaultFindings(resource: Declared, view: View): Finding[] {
  const pool = resource.spec as SubnetpoolDeclared
  if (pool.is_default !== true) return []
  const family = poolFamily(pool)
  const [first] = view.users(view.ref(DEFAULT_SUBNETPOOL, String(family)), 'subnetpool')
  if (first === undefined || first === resource.key) return []
  const message = `subnetpool ${resource.name} is a second default pool for IPv${family}: ${displayKey(first)} is one already`
  const related = [{ message: `${displayKey(first)} is the default`, key: first, at: ['is_default'] }]
  return [{ code: 'E0255', message, at: ['is_default'], related, hint: 'remove is_default from one of the two' }]
}
