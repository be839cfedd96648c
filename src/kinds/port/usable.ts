import type { PortDeclared } from '../../../schemas/port.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import { servesOwner } from '../subnet/service-types.ts'
import type { PortSubnet } from './subnets.ts'

/** Whether the port may have addresses of the subnet at all. */
export function isUsable(port: Declared, { resource }: PortSubnet): boolean {
  return servesOwner(resource.spec, ownerOf(port))
}

/** Where addresses of the port are chosen from, in the order in which it is tried: subnets that are for such ports come before those for all (Neutron: B3.3). */
export function usableSubnets(port: Declared, subnets: readonly PortSubnet[]): readonly PortSubnet[] {
  const usable = subnets.filter((s) => isUsable(port, s))
  const [meant, others] = [usable.filter(isParticular), usable.filter((s) => !isParticular(s))]
  return [...meant, ...others]
}

/** The network has subnets, and every one is for other ports (Neutron's `IpAddressGenerationFailureNoMatchingSubnet`). */
export function noneUsable(port: Declared, subnets: readonly PortSubnet[]): Finding {
  const { network } = port.spec as PortDeclared
  const all = subnets.map((s) => `${s.name} (${s.resource.spec.service_types.join(', ')})`).join(', ')
  return {
    code: 'E0341',
    message: `no subnet of network ${network} is for port ${port.name}, which has ${ownerText(port)}; they are for others: ${all}`,
    at: ownerOf(port) === '' ? [] : ['device_owner'],
    related: subnets.map((s) => ({ message: `what subnet ${s.name} is for`, key: s.key, at: ['service_types'] })),
    hint: 'write the device_owner that is meant, add a subnet without service_types, or write fixed_ips: [] for none',
  }
}

export function notForOwner(port: Declared, subnet: PortSubnet, at: ValuePath): Finding {
  const types = subnet.resource.spec.service_types
  return {
    code: 'E0341',
    message: `subnet ${subnet.name} is for ports of ${types.join(', ')}, and port ${port.name} has ${ownerText(port)}`,
    at,
    related: [{ message: 'whom it is for', key: subnet.key, at: ['service_types'] }],
    hint: `name another subnet, or write device_owner: ${types[0] ?? ''}`,
  }
}

function isParticular({ resource }: PortSubnet): boolean {
  return resource.spec.service_types.length > 0
}

function ownerOf(port: Declared): string {
  return (port.spec as PortDeclared).device_owner ?? ''
}

function ownerText(port: Declared): string {
  const owner = ownerOf(port)
  return owner === '' ? 'no device_owner' : `device_owner ${owner}`
}
