import type { PortDeclared } from '../../../schemas/port.ts'
import { formatCidr } from '../../lib/cidr.ts'
import { type Ip, parseIp } from '../../lib/ip.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import type { View } from '../kind.ts'
import { isRouterInterface, isRouterOwned } from './spec.ts'
import { gatewayOf, type PortSubnet, subnetWith } from './subnets.ts'
import { isAllowed, isDeferred, noneUsable, notAllowed, type PortPlace, usableSubnets } from './usable.ts'

/** An address with the subnet it is of. */
export interface PlacedIp {
  readonly subnet: PortSubnet
  readonly ip: Ip
}

/** What a port wants, once everything written is understood. */
export interface IpWishes {
  /** Written addresses; in SLAAC subnets they must be the one the MAC gives. */
  readonly written: readonly (PlacedIp & { readonly at: ValuePath })[]
  /** One address from the first of these subnets that has room. */
  readonly chosen: readonly { readonly from: readonly PortSubnet[]; readonly at: ValuePath }[]
  /** Subnets in which the address follows from the MAC. */
  readonly automatic: readonly PortSubnet[]
  readonly findings: readonly Finding[]
  /** Which subnets have addresses for it shows only once it is on a host (Neutron's `ip_allocation: deferred`). */
  readonly deferred?: true
}

/** Neutron's rules for `fixed_ips` (B3.3). */
export function ipWishes(resource: Declared, place: PortPlace, subnets: readonly PortSubnet[], view: View): IpWishes {
  const { fixed_ips: entries, device_owner: owner = '' } = resource.spec as PortDeclared
  const usable = usableSubnets(resource, place, subnets)
  const router = isRouterInterface(owner)
  const automatic = router ? [] : usable.filter((s) => s.auto)
  if (entries === undefined) {
    const families = [usable.filter((s) => s.cidr.family === 4), usable.filter((s) => s.cidr.family === 6 && !s.auto)]
    const chosen = families.filter((from) => from.length > 0).map((from) => ({ from, at: [] }))
    const none = { written: [], chosen, automatic, findings: [] }
    if (usable.length > 0 || subnets.length === 0) return none
    return isDeferred(resource, place, subnets)
      ? { ...none, deferred: true }
      : { ...none, findings: [noneUsable(resource, place, subnets)] }
  }
  // A router is who announces the prefix: whatever address is written for it, it has (Neutron: only others must have the MAC's).
  const known = router ? subnets.map((s) => ({ ...s, auto: false })) : subnets
  const wishes = { written: [] as IpWishes['written'][number][], chosen: [] as IpWishes['chosen'][number][], findings: [] as Finding[] }
  entries.forEach((entry, i) => {
    const given = entry.subnet === undefined ? undefined : known.find((s) => s.key === view.ref('subnet', entry.subnet ?? ''))
    if (entry.subnet !== undefined && given === undefined) wishes.findings.push(foreignSubnet(resource, entry.subnet, i, view))
    else if (entry.ip_address === undefined && given !== undefined && !isAllowed(resource, place, given))
      wishes.findings.push(notAllowed(resource, place, given, ['fixed_ips', i, 'subnet']))
    else if (entry.ip_address === undefined && given !== undefined && !given.auto)
      wishes.chosen.push({ from: [given], at: ['fixed_ips', i] })
    else if (entry.ip_address !== undefined)
      wishes.findings.push(...placeWritten(resource, { text: entry.ip_address, given, index: i, place }, known, wishes.written))
  })
  return { ...wishes, automatic: entries.length === 0 ? [] : automatic }
}

function foreignSubnet(resource: Declared, name: string, index: number, view: View): Finding {
  const { network } = resource.spec as PortDeclared
  const key = view.ref('subnet', name)
  const message = `subnet ${name} is not a subnet of network ${network}`
  const related = [{ message: 'it is of the network named here', key, at: ['network'] }]
  return { code: 'E0223', message, at: ['fixed_ips', index, 'subnet'], related, hint: `name a subnet of ${network}, or leave subnet out` }
}

/** A written address must be one that a host of that subnet can have. */
function placeWritten(
  resource: Declared,
  entry: WrittenIp,
  subnets: readonly PortSubnet[],
  out: IpWishes['written'][number][],
): readonly Finding[] {
  const { network, device_owner: owner = '' } = resource.spec as PortDeclared
  const ip = parseIp(entry.text)
  const at = ['fixed_ips', entry.index, 'ip_address']
  const subnet = ip === undefined ? undefined : subnetWith(entry.given === undefined ? subnets : [entry.given], ip)
  const bad = (code: string, message: string, hint: string): Finding[] => [
    { code, message: `ip_address ${entry.text} ${message}`, at, hint },
  ]
  if (ip === undefined || subnet === undefined) {
    const where =
      entry.given === undefined ? `any subnet of network ${network}` : `subnet ${entry.given.name} (${formatCidr(entry.given.cidr)})`
    const have = subnets.map((s) => `${s.name} ${formatCidr(s.cidr)}`).join(', ') || 'none'
    return bad('E0223', `is not in ${where}`, `the network's subnets: ${have}`)
  }
  if (!isAllowed(resource, entry.place, subnet)) return [notAllowed(resource, entry.place, subnet, at)]
  const edge = edgeName(ip, subnet, isRouterOwned(owner))
  if (edge !== undefined)
    return bad('E0222', `is the ${edge} address of subnet ${subnet.name} (${formatCidr(subnet.cidr)})`, 'write a host’s address')
  out.push({ subnet, ip, at })
  return ip.value === gatewayOf(subnet) && !owner.startsWith('network:') ? [isGateway(resource, entry.text, subnet, at)] : []
}

interface WrittenIp {
  readonly text: string
  readonly given: PortSubnet | undefined
  readonly index: number
  readonly place: PortPlace
}

function isGateway(resource: Declared, text: string, subnet: PortSubnet, at: ValuePath): Finding {
  return {
    code: 'W0222',
    severity: 'warning',
    message: `ip_address ${text} of port ${resource.name} is the gateway of subnet ${subnet.name}`,
    at,
    related: [{ message: 'its subnet', key: subnet.key }],
    hint: 'if the port is not a router, write another address',
  }
}

/** Only routers may have the IPv6 network address; nobody the IPv4 network and broadcast address. */
function edgeName(ip: Ip, subnet: PortSubnet, router: boolean): string | undefined {
  const { cidr } = subnet
  if (cidr.family === 6) return ip.value === cidr.first && cidr.prefix < 127 && !router ? 'network' : undefined
  if (cidr.prefix >= 31) return undefined
  return ip.value === cidr.first ? 'network' : ip.value === cidr.last ? 'broadcast' : undefined
}
