import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import { type Cidr, formatCidr } from '../../lib/cidr.ts'
import { formatIp, parseIp } from '../../lib/ip.ts'
import type { Finding } from '../../model/issue.ts'
import { type Key, keyParts } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Pools, Resolved, View } from '../kind.ts'
import type { SubnetpoolSpec } from '../subnetpool/spec.ts'
import { defaultGateway, defaultPools } from './bounds.ts'
import { blockFindings } from './normalise.ts'
import { sourcePlace, subnetpoolOf } from './source.ts'
import { type AllocationPool, type SubnetSpec, subnetCidr } from './spec.ts'
import { takeBlock } from './take-block.ts'

/** Takes the block from the pool where there is one, and fills in defaults. */
export function resolveSubnet(resource: Declared, view: View, pools: Pools): Resolved<SubnetSpec> {
  const subnet = resource.spec as SubnetDeclared
  const block = resolveBlock(resource, view, pools)
  const { cidr } = block
  const gateway_ip = subnet.gateway_ip === undefined ? formatIp(cidr.family, defaultGateway(cidr, block.chosen)) : subnet.gateway_ip
  const gateway = gateway_ip === null ? undefined : parseIp(gateway_ip)?.value
  const ranges = defaultPools(cidr, gateway).map(
    (r): AllocationPool => ({ start: formatIp(cidr.family, r.from), end: formatIp(cidr.family, r.to) }),
  )
  const spec: SubnetSpec = {
    network: subnet.network,
    cidr: formatCidr(cidr),
    ...(block.pool === undefined ? {} : { subnetpool: nameIn(block.pool, resource.project) }),
    ip_version: cidr.family,
    gateway_ip,
    allocation_pools: subnet.allocation_pools ?? ranges,
    enable_dhcp: subnet.enable_dhcp ?? true,
    dns_nameservers: subnet.dns_nameservers ?? [],
    host_routes: subnet.host_routes ?? [],
    ...(subnet.ipv6_ra_mode === undefined ? {} : { ipv6_ra_mode: subnet.ipv6_ra_mode }),
    ...(subnet.ipv6_address_mode === undefined ? {} : { ipv6_address_mode: subnet.ipv6_address_mode }),
    description: subnet.description ?? '',
  }
  return { spec, findings: block.findings }
}

interface Block {
  readonly cidr: Cidr
  /** The pool chose it, or found it around the gateway: nobody wrote a cidr. */
  readonly chosen: boolean
  readonly pool?: Key
  readonly findings: readonly Finding[]
}

function resolveBlock(resource: Declared, view: View, pools: Pools): Block {
  const subnet = resource.spec as SubnetDeclared
  const key = subnetpoolOf(resource, view)
  if (key === undefined) return { cidr: subnetCidr({ cidr: subnet.cidr ?? '' }), chosen: false, findings: [] }
  const taken = takeBlock(resource, view.need<SubnetpoolSpec>(key), pools)
  if (!taken.chosen || taken.findings.length > 0) return { ...taken, pool: key }
  const findings = blockFindings(subnet, taken.cidr, true).map((f) => (f.at?.[0] === 'cidr' ? { ...f, at: sourcePlace(subnet) } : f))
  return { ...taken, pool: key, findings }
}

/** How a project calls a resource. */
function nameIn(key: Key, own: string): string {
  const { project, name } = keyParts(key)
  return project === own ? name : `${project}/${name}`
}
