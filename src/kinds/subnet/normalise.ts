import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import { type Cidr, formatCidr, parseCidr } from '../../lib/cidr.ts'
import { canonicalIp, formatIp, parseIp } from '../../lib/ip.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import type { Normalised } from '../kind.ts'
import { cidrFindings } from './check-cidr.ts'
import { gatewayFindings, poolFindings } from './check-hosts.ts'
import { hostRouteFindings, modeFindings, nameserverFindings } from './check-options.ts'

/** Everything about a subnet that can be said without looking at another resource (Neutron: B3.1). */
export function normaliseSubnet(spec: JsonObject): Normalised {
  const subnet = spec as SubnetDeclared
  const parsed = parseCidr(subnet.cidr)
  if (parsed === undefined) return { spec, findings: [unreadableCidr(subnet.cidr)] }
  const { cidr, hostBits } = parsed
  const findings: Finding[] = []
  if (hostBits) {
    const message = `cidr ${subnet.cidr} has bits to the right of its mask; taken as ${formatCidr(cidr)}`
    findings.push({ code: 'W0210', severity: 'warning', message, at: ['cidr'], hint: `write ${formatCidr(cidr)}` })
  }
  findings.push(...cidrFindings(subnet, cidr), ...addressFindings(subnet))
  if (!findings.some(isError)) findings.push(...gatewayFindings(subnet, cidr), ...poolFindings(subnet, cidr))
  findings.push(...modeFindings(subnet, cidr), ...nameserverFindings(subnet), ...hostRouteFindings(subnet, cidr))
  return { spec: canonical(spec, subnet, cidr), findings }
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
function canonical(spec: JsonObject, subnet: SubnetDeclared, cidr: Cidr): JsonObject {
  const ip = (text: string): string => canonicalIp(text) ?? text
  return {
    ...spec,
    cidr: formatCidr(cidr),
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
