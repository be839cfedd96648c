import type { SubnetpoolDeclared } from '../../../schemas/subnetpool.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved } from '../kind.ts'
import { poolFamily, prefixLengths, type SubnetpoolSpec } from './spec.ts'

export function resolveSubnetpool(resource: Declared): Resolved<SubnetpoolSpec> {
  const pool = resource.spec as SubnetpoolDeclared
  const family = poolFamily(pool)
  const spec: SubnetpoolSpec = {
    prefixes: pool.prefixes,
    ip_version: family,
    ...prefixLengths(pool, family),
    ...(pool.default_quota === undefined ? {} : { default_quota: pool.default_quota }),
    ...(pool.address_scope === undefined ? {} : { address_scope: pool.address_scope }),
    is_default: pool.is_default ?? false,
    shared: pool.shared ?? false,
    description: pool.description ?? '',
  }
  return { spec, findings: [] }
}
