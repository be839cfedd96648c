import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import type { Finding } from '../../model/issue.ts'
import { compareText } from '../../model/key.ts'

/** How a device_owner may begin (Neutron's `DEVICE_OWNER_PREFIXES`, and those of Nova, Ironic and trunks). */
const PREFIXES = ['network:', 'neutron:', 'compute:', 'baremetal:', 'trunk:']

/** Neutron's extension subnet-service-types. */
export function serviceTypeFindings({ service_types: types = [] }: SubnetDeclared): Finding[] {
  return types.flatMap((type, i): Finding[] => {
    const at = ['service_types', i]
    const first = types.indexOf(type)
    if (!PREFIXES.some((prefix) => type.startsWith(prefix))) {
      const message = `service type ${JSON.stringify(type)} is not how a device_owner begins`
      return [{ code: 'E0340', message, at, hint: `write one that begins with ${PREFIXES.join(', ')}` }]
    }
    if (first === i) return []
    return [{ code: 'E0340', message: `service type ${type} is written twice (places ${first + 1} and ${i + 1})`, at, hint: 'remove one' }]
  })
}

/** A set: the order is no difference. */
export function normalServiceTypes(types: readonly string[]): readonly string[] {
  return [...types].sort(compareText)
}

const DHCP_OWNER = 'network:dhcp'

/**
 * Whether a port may have addresses of a subnet: one without service types is for all; DHCP ports are let into every subnet that they serve (Neutron's
 * `query_filter_service_subnets`). A type that ends with a colon stands for all owners that begin so.
 */
export function servesOwner(
  { service_types: types, enable_dhcp: dhcp }: { readonly service_types: readonly string[]; readonly enable_dhcp: boolean },
  owner: string,
): boolean {
  if (types.length === 0) return true
  if (owner === DHCP_OWNER && dhcp) return true
  return types.some((type) => type === owner || (type.endsWith(':') && owner.startsWith(type)))
}
