import type { AddressScopeDeclared } from '../../../schemas/address-scope.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved } from '../kind.ts'
import type { AddressScopeSpec } from './spec.ts'

export function resolveAddressScope(resource: Declared): Resolved<AddressScopeSpec> {
  const scope = resource.spec as AddressScopeDeclared
  return { spec: { ip_version: scope.ip_version, shared: scope.shared ?? false, description: scope.description ?? '' }, findings: [] }
}
