import type { PortDeclared } from '../../../schemas/port.ts'
import type { RouterDeclared } from '../../../schemas/router.ts'
import { cidrContains, cidrsOverlap, formatCidr, parseCidr } from '../../lib/cidr.ts'
import { parseIp } from '../../lib/ip.ts'
import type { Finding } from '../../model/issue.ts'
import { displayKey, type Key } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { View } from '../kind.ts'
import type { PortSpec } from '../port/spec.ts'
import { subnetCidr } from '../subnet/spec.ts'
import { type Joined, joinedSubnets } from './legs.ts'

/** Neutron's rules for interfaces and routes of routers (B3.10). */
export function checkRouter(resource: Declared, view: View): readonly Finding[] {
  const { routes = [] } = resource.spec as RouterDeclared
  const joined = joinedSubnets(resource, view)
  const findings = [...portFindings(resource, view), ...joined.flatMap((j) => subnetFindings(j)), ...overlaps(joined)]
  routes.forEach((route, i) => {
    findings.push(...routeFindings(route, i, joined))
  })
  return findings
}

/** A port is the router's alone: nobody is plugged into it. */
function portFindings(resource: Declared, view: View): Finding[] {
  const { interfaces = [] } = resource.spec as RouterDeclared
  return interfaces.flatMap(({ port: name }, i): Finding[] => {
    if (name === undefined) return []
    const port = view.need<PortSpec>(view.ref('port', name))
    const fault = portFault(port, view) ?? otherRouter(resource, port, view)
    if (fault === undefined) return []
    const { why, hint, related } = fault
    return [
      {
        code: 'E0414',
        message: `port ${name} cannot be an interface of router ${resource.name}: ${why}`,
        at: ['interfaces', i, 'port'],
        ...(related === undefined ? {} : { related }),
        hint,
      },
    ]
  })
}

interface PortFault {
  readonly why: string
  readonly hint: string
  readonly related?: NonNullable<Finding['related']>
}

const INTERFACE = 'network:router_interface'

function portFault(port: Resource<PortSpec>, view: View): PortFault | undefined {
  const { host, plug, device_owner: owner, fixed_ips: ips } = port.spec
  const written = view.declared(port.key)?.spec as PortDeclared | undefined
  const there = (message: string, at: string): NonNullable<Finding['related']> => [{ message, key: port.key, at: [at] }]
  if (host !== undefined)
    return {
      why: `it is on host ${host}, and a router is on all`,
      hint: `remove host: from port ${port.name}`,
      ...(written?.host === undefined ? {} : { related: there('its host', 'host') }),
    }
  if (plug !== undefined)
    return { why: 'it has a plug of its own', hint: `remove plug: from port ${port.name}`, related: there('its plug', 'plug') }
  if (owner !== '' && owner !== INTERFACE)
    return {
      why: `its device_owner is ${owner}`,
      hint: `write device_owner: ${INTERFACE}, or leave it out`,
      related: there('its device_owner', 'device_owner'),
    }
  const [trunk] = view.users(port.key, 'trunk')
  if (trunk !== undefined)
    return { why: `it is in ${displayKey(trunk)}`, hint: 'take it out of the trunk', related: [{ message: displayKey(trunk), key: trunk }] }
  if (ips.length === 0) return { why: 'it has no address', hint: `write fixed_ips at port ${port.name}` }
  const v4 = ips.filter((ip) => !ip.ip_address.includes(':'))
  if (new Set(v4.map((ip) => ip.subnet)).size > 1)
    return { why: `it has addresses of ${v4.length} IPv4 subnets (${v4.map((ip) => ip.subnet).join(', ')})`, hint: 'use a port for each' }
  return undefined
}

/** Of two routers with one port, the one whose identity sorts later is told. */
function otherRouter(resource: Declared, port: Resource<PortSpec>, view: View): PortFault | undefined {
  const [first] = view.users(port.key, 'router')
  if (first === undefined || first === resource.key) return undefined
  return {
    why: `${displayKey(first)} has it`,
    hint: 'take it out of one of the two',
    related: [{ message: displayKey(first), key: first }],
  }
}

function subnetFindings({ subnet, at, address, port }: Joined): Finding[] {
  const cidr = subnetCidr(subnet.spec)
  const ip = address === undefined ? undefined : parseIp(address)
  const related = [{ message: `subnet ${subnet.name}`, key: subnet.key, at: ['gateway_ip'] }]
  const findings: Finding[] = []
  if (port === undefined && ip === undefined)
    findings.push({
      code: 'E0411',
      message: `subnet ${subnet.name} has no gateway_ip for the router to be on`,
      at,
      related,
      hint: `write a gateway_ip at subnet ${subnet.name}, or an interface { port: NAME } with an address of it`,
    })
  else if (ip !== undefined && !cidrContains(cidr, ip))
    findings.push({
      code: 'E0411',
      message: `gateway_ip ${address} is outside of subnet ${subnet.name}, ${formatCidr(cidr)}: the router would be next to nobody`,
      at,
      related,
      hint: 'write a gateway_ip of the subnet',
    })
  const { ipv6_address_mode: mode, ipv6_ra_mode: ra } = subnet.spec
  if (mode !== undefined && ra === undefined)
    findings.push({
      code: 'E0415',
      message: `subnet ${subnet.name} has ipv6_address_mode ${mode} without ipv6_ra_mode: somebody else is its router`,
      at,
      related: [{ message: 'here', key: subnet.key, at: ['ipv6_address_mode'] }],
      hint: `write ipv6_ra_mode: ${mode} at subnet ${subnet.name} too`,
    })
  return findings
}

/** No two subnets of a router overlap, on whichever network: it could not tell where an address is. */
function overlaps(joined: readonly Joined[]): Finding[] {
  const findings: Finding[] = []
  joined.forEach((later, i) => {
    const first = joined.slice(0, i).find((j) => cidrsOverlap(subnetCidr(j.subnet.spec), subnetCidr(later.subnet.spec)))
    if (first === undefined) return
    const related = [{ message: `subnet ${first.subnet.name}, ${first.subnet.spec.cidr}`, key: first.subnet.key }]
    const same = first.subnet.key === later.subnet.key
    findings.push({
      code: same ? 'E0413' : 'E0412',
      message: same
        ? `the router is on subnet ${later.subnet.name} already`
        : `subnet ${later.subnet.name}, ${later.subnet.spec.cidr}, overlaps with ${first.subnet.name}, ${first.subnet.spec.cidr}: the router could not tell where an address is`,
      at: later.at,
      related,
      hint: 'take one of the two off the router',
    })
  })
  return findings
}

function routeFindings(
  { destination, nexthop }: { destination: string; nexthop: string },
  i: number,
  joined: readonly Joined[],
): Finding[] {
  const [cidr, hop] = [parseCidr(destination)?.cidr, parseIp(nexthop)]
  // What cannot be read has been said.
  if (cidr === undefined || hop === undefined || cidr.family !== hop.family) return []
  const own = joined.find(
    (j) => j.address !== undefined && parseIp(j.address)?.family === hop.family && parseIp(j.address)?.value === hop.value,
  )
  const near = joined.find((j) => cidrContains(subnetCidr(j.subnet.spec), hop))
  const same = joined.find((j) => formatCidr(subnetCidr(j.subnet.spec)) === destination)
  if (same !== undefined) {
    const related = [{ message: `subnet ${same.subnet.name}`, key: same.subnet.key, at: ['cidr'] }]
    return [
      {
        code: 'E0417',
        message: `${destination} is subnet ${same.subnet.name}, on which the router is itself`,
        at: ['routes', i, 'destination'],
        related,
        hint: 'remove the route',
      },
    ]
  }
  const at = ['routes', i, 'nexthop']
  if (own !== undefined)
    return [
      {
        code: 'E0416',
        message: `nexthop ${nexthop} is the router’s own address on subnet ${own.subnet.name}`,
        at,
        hint: 'write the address of who forwards on',
      },
    ]
  if (near !== undefined) return []
  const known = joined.map((j) => `${j.subnet.name} (${j.subnet.spec.cidr})`).join(', ')
  return [
    {
      code: 'E0416',
      message: `nexthop ${nexthop} is on no subnet of the router; it is on ${known || 'none'}`,
      at,
      hint: 'write an address of one of them, or add an interface',
    },
  ]
}

/** Where a nexthop is reached: `check` has made sure that there is a leg. */
export function networkToward(nexthop: string, joined: readonly Joined[]): Key | undefined {
  const hop = parseIp(nexthop)
  return hop === undefined ? undefined : joined.find((j) => cidrContains(subnetCidr(j.subnet.spec), hop))?.network
}
