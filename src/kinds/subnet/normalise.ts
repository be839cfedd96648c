import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import { type Cidr, formatCidr, parseCidr } from '../../lib/cidr.ts'
import { canonicalIp, formatIp, parseIp } from '../../lib/ip.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import type { Normalised } from '../kind.ts'
import { cidrFindings } from './check-cidr.ts'
import { gatewayFindings, poolFindings } from './check-hosts.ts'
import { hostRouteFindings, modeFindings, nameserverFindings } from './check-options.ts'
import { sourceFindings } from './source.ts'

/** Everything about a subnet that can be said without looking at another resource (Neutron: B3.1). */
export function normaliseSubnet(spec: JsonObject): Normalised {
  const subnet = spec as SubnetDeclared
  if (subnet.cidr === undefined) return normalisePooled(spec, subnet)
  const parsed = parseCidr(subnet.cidr)
  if (parsed === undefined) return { spec, findings: [unreadableCidr(subnet.cidr)] }
  const { cidr, hostBits } = parsed
  const findings: Finding[] = sourceFindings(subnet)
  if (hostBits) {
    const message = `cidr ${subnet.cidr} has bits to the right of its mask; taken as ${formatCidr(cidr)}`
    findings.push({ code: 'W0210', severity: 'warning', message, at: ['cidr'], hint: `write ${formatCidr(cidr)}` })
  }
  findings.push(...addressFindings(subnet), ...blockFindings(subnet, cidr, false), ...nameserverFindings(subnet))
  return { spec: { ...canonical(spec, subnet), cidr: formatCidr(cidr) }, findings }
}

/** Without a cidr; what depends on the block is looked at when the pool has given one. */
function normalisePooled(spec: JsonObject, subnet: SubnetDeclared): Normalised {
  const findings = [...sourceFindings(subnet), ...addressFindings(subnet), ...nameserverFindings(subnet)]
  const { ip_version: version } = subnet
  if (version !== undefined && version !== 4 && version !== 6)
    findings.push({ code: 'E0212', message: `ip_version ${version} does not exist`, at: ['ip_version'], hint: 'write 4 or 6' })
  return { spec: canonical(spec, subnet), findings }
}

/** Everything that depends on the block. `chosen`: a pool chose it. */
export function blockFindings(subnet: SubnetDeclared, cidr: Cidr, chosen: boolean): readonly Finding[] {
  const findings = cidrFindings(subnet, cidr)
  const readable = !findings.some(isError) && addressFindings(subnet).length === 0
  if (readable) findings.push(...gatewayFindings(subnet, cidr, chosen), ...poolFindings(subnet, cidr))
  return [...findings, ...modeFindings(subnet, cidr), ...hostRouteFindings(subnet, cidr)]
}

function isError(finding: Finding): boolean {
  return (finding.severity ?? 'error') === 'error'
}

/** Neutron takes `10.9.0.0` as a /32 and then complains about DHCP; what was meant is nearly always the mask (B4). */
function unreadableCidr(text: string): Finding {
  const ip = parseIp(text)
  const guess = ip === undefined ? undefined : `${formatIp(ip.family, ip.value)}/${ip.family === 4 ? 24 : 64}`
  const message = guess === undefined ? `cidr ${text} is not an address with a mask` : `cidr ${text} has no mask`
  return {
    code: 'E0210',
    message,
    at: ['cidr'],
    hint: guess === undefined ? 'write it like 10.10.0.0/24 or fd00:10::/64' : `did you mean ${guess}?`,
  }
}

/** Gateway and pool bounds must be addresses before anything else is asked of them. */
function addressFindings(subnet: SubnetDeclared): Finding[] {
  const findings: Finding[] = []
  const need = (code: string, text: string | null | undefined, at: ValuePath, what: string): void => {
    if (typeof text !== 'string' || parseIp(text) !== undefined) return
    findings.push({ code, message: `${what} ${text} is not an IP address`, at, hint: 'write one address, without a mask' })
  }
  need('E0213', subnet.gateway_ip, ['gateway_ip'], 'gateway_ip')
  subnet.allocation_pools?.forEach((pool, i) => {
    need('E0214', pool.start, ['allocation_pools', i, 'start'], 'start')
    need('E0214', pool.end, ['allocation_pools', i, 'end'], 'end')
  })
  return findings
}

/** Lists keep their order here: findings point into them by index. */
function canonical(spec: JsonObject, subnet: SubnetDeclared): JsonObject {
  const ip = (text: string): string => canonicalIp(text) ?? text
  const { use_default_subnetpool: byDefault, ...rest } = spec
  return {
    ...rest,
    ...(byDefault === true ? { use_default_subnetpool: true } : {}),
    ...(typeof subnet.gateway_ip === 'string' ? { gateway_ip: ip(subnet.gateway_ip) } : {}),
    ...(subnet.allocation_pools ? { allocation_pools: subnet.allocation_pools.map((p) => ({ start: ip(p.start), end: ip(p.end) })) } : {}),
    ...(subnet.dns_nameservers ? { dns_nameservers: subnet.dns_nameservers.map(ip) } : {}),
    ...(subnet.host_routes ? { host_routes: subnet.host_routes.map(canonicalRoute) } : {}),
  }
}

function canonicalRoute(route: { destination: string; nexthop: string }): JsonObject {
  const parsed = parseCidr(route.destination)
  return {
    destination: parsed === undefined ? route.destination : formatCidr(parsed.cidr),
    nexthop: canonicalIp(route.nexthop) ?? route.nexthop,
  }
}
