import { type Cidr, cidrContains } from '../../lib/cidr.ts'
import { type Ip, parseIp } from '../../lib/ip.ts'
import { type Range, subtractRanges } from '../../lib/ranges.ts'
import { type Key, keyParts } from '../../model/key.ts'
import type { Resource } from '../../model/resource.ts'
import type { View } from '../kind.ts'
import { type NetworkSpec, segmentText } from '../network/spec.ts'
import { hostBounds } from '../subnet/bounds.ts'
import { isAutoAddress, type SubnetSpec, subnetCidr } from '../subnet/spec.ts'

/** A subnet of the port's network, with its numbers parsed. */
export interface PortSubnet {
  readonly key: Key
  readonly resource: Resource<SubnetSpec>
  /** How the port's project calls it. */
  readonly name: string
  readonly cidr: Cidr
  /** Hosts make their own address here. */
  readonly auto: boolean
  /** The segment of the network on which it is (`segmentText`). Absent: on all. */
  readonly segment?: string
}

/** All subnets of a network, in order of identity. Where one is in error, so is every port of the network, quietly. */
export function subnetsOf({ key: network, spec }: Resource<NetworkSpec>, project: string, view: View): readonly PortSubnet[] {
  return view.users(network, 'subnet').map((key) => {
    const resource = view.need<SubnetSpec>(key)
    const parts = keyParts(key)
    const name = parts.project === project ? parts.name : `${parts.project}/${parts.name}`
    return { key, resource, name, cidr: subnetCidr(resource.spec), auto: isAutoAddress(resource.spec), ...onSegment(resource.spec, spec) }
  })
}

function onSegment({ segment }: SubnetSpec, network: NetworkSpec): { readonly segment?: string } {
  const found = segment === undefined ? undefined : network.segments?.find((s) => s.name === segment)
  return found === undefined ? {} : { segment: segmentText(found) }
}

/** Where addresses are chosen from. */
export function choosable(subnet: PortSubnet): readonly Range[] {
  return subnet.resource.spec.allocation_pools.map((p) => ({ from: boundOf(p.start), to: boundOf(p.end) }))
}

/** Where an address chosen earlier may stay: any host of the subnet but the gateway (Neutron keeps addresses when pools shrink). */
export function keepable(subnet: PortSubnet): readonly Range[] {
  const gateway = gatewayOf(subnet)
  return subtractRanges([hostBounds(subnet.cidr)], gateway === undefined ? [] : [{ from: gateway, to: gateway }])
}

export function gatewayOf(subnet: PortSubnet): bigint | undefined {
  const text = subnet.resource.spec.gateway_ip
  return text === null ? undefined : parseIp(text)?.value
}

/** The subnet an address lies in; subnets of one network do not overlap. */
export function subnetWith(subnets: readonly PortSubnet[], ip: Ip): PortSubnet | undefined {
  return subnets.find((s) => cidrContains(s.cidr, ip))
}

function boundOf(text: string): bigint {
  const ip = parseIp(text)
  if (ip === undefined) throw new Error(`a subnet got past its checks with pool bound ${text}`)
  return ip.value
}
