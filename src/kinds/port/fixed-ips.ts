import type { PortDeclared } from '../../../schemas/port.ts'
import { formatCidr } from '../../lib/cidr.ts'
import { formatIp, type Ip, parseIp } from '../../lib/ip.ts'
import { slaacAddress } from '../../lib/mac.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import { nameHolders, takenFinding } from '../findings.ts'
import type { Claim, Pools, ValueRange, View } from '../kind.ts'
import { ipPool, ipRange } from '../pools.ts'
import { isRouterOwned } from './spec.ts'
import { choosable, gatewayOf, keepable, type PortSubnet, subnetWith } from './subnets.ts'
import { isUsable, noneUsable, notForOwner, usableSubnets } from './usable.ts'

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
}

/** Neutron's rules for `fixed_ips` (B3.3). */
export function ipWishes(resource: Declared, subnets: readonly PortSubnet[], view: View): IpWishes {
  const { fixed_ips: entries, device_owner: owner } = resource.spec as PortDeclared
  const usable = usableSubnets(resource, subnets)
  const router = isRouterOwned(owner)
  const automatic = router ? [] : usable.filter((s) => s.auto)
  if (entries === undefined) {
    const families = [usable.filter((s) => s.cidr.family === 4), usable.filter((s) => s.cidr.family === 6 && !s.auto)]
    const chosen = families.filter((from) => from.length > 0).map((from) => ({ from, at: [] }))
    return { written: [], chosen, automatic, findings: usable.length === 0 && subnets.length > 0 ? [noneUsable(resource, subnets)] : [] }
  }
  // A router is who announces the prefix: whatever address is written for it, it has (Neutron: only others must have the MAC's).
  const known = router ? subnets.map((s) => ({ ...s, auto: false })) : subnets
  const wishes = { written: [] as IpWishes['written'][number][], chosen: [] as IpWishes['chosen'][number][], findings: [] as Finding[] }
  entries.forEach((entry, i) => {
    const given = entry.subnet === undefined ? undefined : known.find((s) => s.key === view.ref('subnet', entry.subnet ?? ''))
    if (entry.subnet !== undefined && given === undefined) wishes.findings.push(foreignSubnet(resource, entry.subnet, i, view))
    else if (entry.ip_address === undefined && given !== undefined && !isUsable(resource, given))
      wishes.findings.push(notForOwner(resource, given, ['fixed_ips', i, 'subnet']))
    else if (entry.ip_address === undefined && given !== undefined && !given.auto)
      wishes.chosen.push({ from: [given], at: ['fixed_ips', i] })
    else if (entry.ip_address !== undefined) placeWritten(resource, { text: entry.ip_address, given, index: i }, known, wishes)
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

interface Writing {
  readonly written: IpWishes['written'][number][]
  readonly findings: Finding[]
}

/** A written address must be one that a host of that subnet can have. */
function placeWritten(
  resource: Declared,
  entry: { readonly text: string; readonly given: PortSubnet | undefined; readonly index: number },
  subnets: readonly PortSubnet[],
  out: Writing,
): void {
  const { network, device_owner: owner } = resource.spec as PortDeclared
  const ip = parseIp(entry.text)
  const at = ['fixed_ips', entry.index, 'ip_address']
  const subnet = ip === undefined ? undefined : subnetWith(entry.given === undefined ? subnets : [entry.given], ip)
  if (ip === undefined || subnet === undefined) {
    const where =
      entry.given === undefined ? `any subnet of network ${network}` : `subnet ${entry.given.name} (${formatCidr(entry.given.cidr)})`
    const have = subnets.map((s) => `${s.name} ${formatCidr(s.cidr)}`).join(', ') || 'none'
    out.findings.push({ code: 'E0223', message: `ip_address ${entry.text} is not in ${where}`, at, hint: `the network's subnets: ${have}` })
    return
  }
  if (!isUsable(resource, subnet)) {
    out.findings.push(notForOwner(resource, subnet, at))
    return
  }
  const edge = edgeName(ip, subnet, isRouterOwned(owner))
  if (edge !== undefined) {
    out.findings.push({
      code: 'E0222',
      message: `ip_address ${entry.text} is the ${edge} address of subnet ${subnet.name} (${formatCidr(subnet.cidr)})`,
      at,
      hint: 'write a host’s address',
    })
    return
  }
  if (ip.value === gatewayOf(subnet) && !(owner ?? '').startsWith('network:')) {
    const message = `ip_address ${entry.text} of port ${resource.name} is the gateway of subnet ${subnet.name}`
    out.findings.push({
      code: 'W0222',
      severity: 'warning',
      message,
      at,
      related: [{ message: 'its subnet', key: subnet.key }],
      hint: 'if the port is not a router, write another address',
    })
  }
  out.written.push({ subnet, ip, at })
}

/** Only routers may have the IPv6 network address; nobody the IPv4 network and broadcast address. */
function edgeName(ip: Ip, subnet: PortSubnet, router: boolean): string | undefined {
  const { cidr } = subnet
  if (cidr.family === 6) return ip.value === cidr.first && cidr.prefix < 127 && !router ? 'network' : undefined
  if (cidr.prefix >= 31) return undefined
  return ip.value === cidr.first ? 'network' : ip.value === cidr.last ? 'broadcast' : undefined
}

/** Claims what is written; SLAAC addresses follow from the MAC, which is unique already. */
export function claimWritten(
  resource: Declared,
  wishes: IpWishes,
  pools: Pools,
): { readonly ips: readonly PlacedIp[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = []
  const ips = wishes.written.filter(({ subnet, ip, at }) => {
    if (subnet.auto) return false
    const text = formatIp(ip.family, ip.value)
    const claim = pools.claim(ipPool(subnet.key), text)
    if (claim.ok || claim.reason !== 'taken') return true
    const message = `ip_address ${text} of port ${resource.name} is in use on subnet ${subnet.name}`
    findings.push(
      takenFinding(claim, {
        code: 'E0224',
        message,
        at,
        holderAt: ['fixed_ips'],
        hint: 'write another address, or leave it out to get a free one',
      }),
    )
    return false
  })
  return { ips, findings }
}

/** Chooses the rest: the subnet in which the port already has an address comes first. */
export function allocateChosen(
  resource: Declared,
  wishes: IpWishes,
  pools: Pools,
): { readonly ips: readonly PlacedIp[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = []
  const ips: PlacedIp[] = []
  const counts = new Map<string, number>()
  for (const { from, at } of wishes.chosen) {
    const pinned = from.length > 1 ? from.filter((s) => pools.pinned(ipPool(s.key))) : []
    const full = new Map<PortSubnet, FullClaim>()
    let found: PlacedIp | undefined
    for (const subnet of [...pinned, ...from]) {
      const claim = allocateIn(subnet, counts, pools)
      const ip = claim.ok ? parseIp(claim.value) : undefined
      if (ip !== undefined) found = { subnet, ip }
      else if (!claim.ok && claim.reason === 'full') full.set(subnet, claim)
      if (found !== undefined) break
    }
    if (found === undefined) findings.push(noAddress(resource, full, at))
    else ips.push(found)
  }
  return { ips, findings }
}

type FullClaim = Extract<Claim, { readonly reason: 'full' }>

const SHOWN_HOLDERS = 3

/** Names the subnets, their sizes, and who has what there. */
function noAddress(resource: Declared, full: ReadonlyMap<PortSubnet, FullClaim>, at: ValuePath): Finding {
  const texts: string[] = []
  const related: { message: string; key: string; at?: ValuePath }[] = []
  for (const [subnet, claim] of full) {
    const held = claim.holders.length === 0 ? '' : ` (${nameHolders(claim.holders, SHOWN_HOLDERS)})`
    texts.push(`subnet ${subnet.name} (${formatCidr(subnet.cidr)}) has ${claim.size} to choose from, ${claim.used} in use${held}`)
    related.push({ message: `subnet ${subnet.name}`, key: subnet.key, at: ['cidr'] })
    for (const key of claim.holders.slice(0, SHOWN_HOLDERS)) related.push({ message: 'has an address of it', key })
  }
  const message = `no free address for port ${resource.name}: ${texts.join('; ')}`
  return { code: 'E0401', message, at, related, hint: 'add a subnet, widen allocation_pools, or remove ports' }
}

function allocateIn(subnet: PortSubnet, counts: Map<string, number>, pools: Pools): Claim {
  const pool = ipPool(subnet.key)
  const count = counts.get(pool) ?? 0
  counts.set(pool, count + 1)
  const { family } = subnet.cidr
  const ranges = choosable(subnet).map((r) => ipRange(family, r))
  const keep = (): readonly ValueRange[] => keepable(subnet).map((r) => ipRange(family, r))
  return pools.allocate(pool, ranges, count === 0 ? { keep } : { keep, label: String(count) })
}

/** Addresses that follow from the MAC (EUI-64); a written one in such a subnet must be the same. */
export function automaticIps(
  resource: Declared,
  wishes: IpWishes,
  mac: string,
): { readonly ips: readonly PlacedIp[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = []
  const address = (subnet: PortSubnet): Ip => ({ family: 6, value: slaacAddress(subnet.cidr, mac) })
  for (const { subnet, ip, at } of wishes.written) {
    if (!subnet.auto || ip.value === address(subnet).value) continue
    const right = formatIp(6, address(subnet).value)
    const message = `ip_address ${formatIp(6, ip.value)} of port ${resource.name} is in subnet ${subnet.name}, where hosts make their own: with MAC ${mac} it is ${right}`
    findings.push({ code: 'E0225', message, at, hint: `leave it out, or write ${right}` })
  }
  return { ips: wishes.automatic.map((subnet) => ({ subnet, ip: address(subnet) })), findings }
}
