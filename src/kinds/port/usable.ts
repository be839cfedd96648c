import type { PortDeclared } from '../../../schemas/port.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import { servesOwner } from '../subnet/service-types.ts'
import type { PortSubnet } from './subnets.ts'

/** Where a port is: on a host, and there on a segment, if its network has several (`segmentText`). */
export type PortPlace = { readonly host?: string; readonly segment?: string }

/** Whether the port may have addresses of the subnet when they are written. Before it is on a host, its segment is open. */
export function isAllowed(port: Declared, place: PortPlace, subnet: PortSubnet): boolean {
  return servesOwner(subnet.resource.spec, ownerOf(port)) && (place.host === undefined || isThere(place, subnet))
}

function isThere({ segment }: PortPlace, subnet: PortSubnet): boolean {
  return subnet.segment === undefined || subnet.segment === segment
}

/**
 * Where addresses of the port are chosen from, in the order in which it is tried: subnets that are for such ports come before those for all (Neutron:
 * B3.3), those on other segments than the port's do not come at all.
 */
export function usableSubnets(port: Declared, place: PortPlace, subnets: readonly PortSubnet[]): readonly PortSubnet[] {
  const usable = subnets.filter((s) => isAllowed(port, place, s) && isThere(place, s))
  return [...usable.filter(isParticular), ...usable.filter((s) => !isParticular(s))]
}

/** Nothing can be chosen now, and something can once the port is on a host. */
export function isDeferred(port: Declared, place: PortPlace, subnets: readonly PortSubnet[]): boolean {
  return place.host === undefined && subnets.some((s) => isAllowed(port, place, s))
}

/** The network has subnets, and not one is for the port (Neutron's `IpAddressGenerationFailureNoMatchingSubnet`). */
export function noneUsable(port: Declared, place: PortPlace, subnets: readonly PortSubnet[]): Finding {
  const { network } = port.spec as PortDeclared
  const served = subnets.filter((s) => servesOwner(s.resource.spec, ownerOf(port)))
  if (served.length > 0) {
    const all = served.map((s) => `${s.name} (${s.segment ?? ''})`).join(', ')
    return {
      code: 'E0345',
      message: `no subnet of network ${network} is on segment ${place.segment ?? ''}, which port ${port.name} takes on host ${place.host ?? ''}; there are ${all}`,
      at: ['host'],
      related: served.map((s) => ({ message: `the segment of subnet ${s.name}`, key: s.key, at: ['segment'] })),
      hint: 'add a subnet on that segment, name another host, or write fixed_ips: [] for none',
    }
  }
  const all = subnets.map((s) => `${s.name} (${s.resource.spec.service_types.join(', ')})`).join(', ')
  return {
    code: 'E0341',
    message: `no subnet of network ${network} is for port ${port.name}, which has ${ownerText(port)}; they are for others: ${all}`,
    at: ownerOf(port) === '' ? [] : ['device_owner'],
    related: subnets.map((s) => ({ message: `what subnet ${s.name} is for`, key: s.key, at: ['service_types'] })),
    hint: 'write the device_owner that is meant, add a subnet without service_types, or write fixed_ips: [] for none',
  }
}

export function notAllowed(port: Declared, place: PortPlace, subnet: PortSubnet, at: ValuePath): Finding {
  const types = subnet.resource.spec.service_types
  if (servesOwner(subnet.resource.spec, ownerOf(port)))
    return {
      code: 'E0345',
      message: `subnet ${subnet.name} is on segment ${subnet.segment ?? ''}, and port ${port.name} takes ${place.segment ?? ''} on host ${place.host ?? ''}`,
      at,
      related: [{ message: 'its segment', key: subnet.key, at: ['segment'] }],
      hint: 'name a subnet of that segment, leave it out to get an address there, or name another host',
    }
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
