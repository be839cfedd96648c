import type { AddressGroupDeclared } from '../../../schemas/address-group.ts'
import { compareText } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved } from '../kind.ts'
import type { AddressGroupSpec } from './spec.ts'

export function resolveAddressGroup(resource: Declared): Resolved<AddressGroupSpec> {
  const { addresses = [], description = '' } = resource.spec as AddressGroupDeclared
  return { spec: { addresses: [...new Set(addresses)].sort(compareText), description }, findings: [] }
}
