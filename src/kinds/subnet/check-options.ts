import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import { type Cidr, formatCidr, parseCidr } from '../../lib/cidr.ts'
import { parseIp } from '../../lib/ip.ts'
import type { Finding } from '../../model/issue.ts'

/** `ipv6_ra_mode` and `ipv6_address_mode` (Neutron: B3.1). */
export function modeFindings(subnet: SubnetDeclared, cidr: Cidr): Finding[] {
  const { ipv6_ra_mode: ra, ipv6_address_mode: address } = subnet
  const attribute = ra === undefined ? 'ipv6_address_mode' : 'ipv6_ra_mode'
  const mode = ra ?? address
  if (mode === undefined) return []
  const error = (message: string, at: string, hint: string): Finding[] => [{ code: 'E0215', message, at: [at], hint }]
  if (cidr.family === 4) return error(`${attribute} is for IPv6, cidr ${formatCidr(cidr)} is IPv4`, attribute, `remove ${attribute}`)
  if (ra !== undefined && address !== undefined && ra !== address) {
    return error(`ipv6_ra_mode ${ra} and ipv6_address_mode ${address} differ`, 'ipv6_address_mode', `write ${ra} for both`)
  }
  if (subnet.enable_dhcp === false)
    return error(`${attribute} ${mode} needs enable_dhcp`, attribute, `remove enable_dhcp: false, or ${attribute}`)
  if (mode === 'dhcpv6-stateful' || cidr.prefix === 64) return []
  return error(
    `${attribute} ${mode} needs a /64, cidr ${formatCidr(cidr)} is a /${cidr.prefix}`,
    attribute,
    'make it a /64, or use dhcpv6-stateful',
  )
}

const MOST_NAMESERVERS = 5
const MOST_ROUTES = 20

export function nameserverFindings(subnet: SubnetDeclared): Finding[] {
  const findings: Finding[] = []
  const bad = (message: string, index: number, hint: string): void => {
    findings.push({ code: 'E0216', message, at: ['dns_nameservers', index], hint })
  }
  const seen = new Map<string, number>()
  subnet.dns_nameservers?.forEach((text, i) => {
    const ip = parseIp(text)
    const id = ip === undefined ? text : `${ip.family} ${ip.value}`
    const first = seen.get(id)
    if (ip === undefined) bad(`DNS server ${text} is not an IP address`, i, 'write an address, not a name')
    else if (first !== undefined) bad(`DNS server ${text} is written twice (places ${first + 1} and ${i + 1})`, i, 'remove one')
    else if (i === MOST_NAMESERVERS) bad(`more than ${MOST_NAMESERVERS} DNS servers`, i, `keep the first ${MOST_NAMESERVERS}`)
    seen.set(id, first ?? i)
  })
  return findings
}

export function hostRouteFindings(subnet: SubnetDeclared, cidr: Cidr): Finding[] {
  const findings: Finding[] = []
  const seen = new Map<string, number>()
  subnet.host_routes?.forEach((route, i) => {
    const fault = routeFault(route, cidr)
    const parsed = parseCidr(route.destination)
    const id = `${parsed === undefined ? route.destination : formatCidr(parsed.cidr)} ${parseIp(route.nexthop)?.value ?? route.nexthop}`
    const first = seen.get(id)
    const at = ['host_routes', i]
    if (fault !== undefined) findings.push({ code: 'E0217', message: fault.message, at: [...at, fault.at], hint: fault.hint })
    else if (first !== undefined)
      findings.push({
        code: 'E0217',
        message: `host route to ${route.destination} is written twice (places ${first + 1} and ${i + 1})`,
        at,
        hint: 'remove one',
      })
    else if (i === MOST_ROUTES)
      findings.push({ code: 'E0217', message: `more than ${MOST_ROUTES} host routes`, at, hint: `keep the first ${MOST_ROUTES}` })
    seen.set(id, first ?? i)
  })
  return findings
}

function routeFault(
  route: { destination: string; nexthop: string },
  cidr: Cidr,
): { message: string; at: string; hint: string } | undefined {
  const destination = parseCidr(route.destination)
  if (destination === undefined)
    return { message: `host route destination ${route.destination} is not a prefix`, at: 'destination', hint: 'write it like 10.99.0.0/16' }
  if (destination.hostBits) {
    const want = formatCidr(destination.cidr)
    return {
      message: `host route destination ${route.destination} has bits to the right of its mask`,
      at: 'destination',
      hint: `write ${want}`,
    }
  }
  const hop = parseIp(route.nexthop)
  if (hop === undefined)
    return { message: `nexthop ${route.nexthop} is not an IP address`, at: 'nexthop', hint: 'write an address of the subnet' }
  const hint = `write IPv${cidr.family} as the subnet`
  if (destination.cidr.family !== cidr.family)
    return { message: `host route destination ${route.destination} is IPv${destination.cidr.family}`, at: 'destination', hint }
  if (hop.family !== cidr.family) return { message: `nexthop ${route.nexthop} is IPv${hop.family}`, at: 'nexthop', hint }
  return undefined
}
