import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import { formatIp, parseIp } from '../../lib/ip.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved } from '../kind.ts'
import { defaultGateway, defaultPools } from './bounds.ts'
import { type AllocationPool, type SubnetSpec, subnetCidr } from './spec.ts'

export function resolveSubnet(resource: Declared): Resolved<SubnetSpec> {
  const subnet = resource.spec as SubnetDeclared
  const cidr = subnetCidr(subnet)
  const gateway_ip = subnet.gateway_ip === undefined ? formatIp(cidr.family, defaultGateway(cidr)) : subnet.gateway_ip
  const gateway = gateway_ip === null ? undefined : parseIp(gateway_ip)?.value
  const pools = defaultPools(cidr, gateway).map(
    (r): AllocationPool => ({ start: formatIp(cidr.family, r.from), end: formatIp(cidr.family, r.to) }),
  )
  const spec: SubnetSpec = {
    network: subnet.network,
    cidr: subnet.cidr,
    ip_version: cidr.family,
    gateway_ip,
    allocation_pools: subnet.allocation_pools ?? pools,
    enable_dhcp: subnet.enable_dhcp ?? true,
    dns_nameservers: subnet.dns_nameservers ?? [],
    host_routes: subnet.host_routes ?? [],
    ...(subnet.ipv6_ra_mode === undefined ? {} : { ipv6_ra_mode: subnet.ipv6_ra_mode }),
    ...(subnet.ipv6_address_mode === undefined ? {} : { ipv6_address_mode: subnet.ipv6_address_mode }),
    description: subnet.description ?? '',
  }
  return { spec, findings: [] }
}
