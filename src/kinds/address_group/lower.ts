import type { AddressesIntent } from '../../model/intent.ts'
import type { Resource } from '../../model/resource.ts'
import { addressesScope, intentKey } from '../../model/scope.ts'
import type { Lowered } from '../kind.ts'
import type { AddressGroupSpec } from './spec.ts'

/** One value that hosts share; which of them need it is for ports to say, by the rules of their groups. */
export function lowerAddressGroup({ key, spec }: Resource<AddressGroupSpec>): Lowered {
  const intent: AddressesIntent = { addresses: key, prefixes: spec.addresses, type: 'addresses' }
  return { intents: [{ scope: addressesScope(key), key: intentKey('addresses', key), intent }], needs: [] }
}
