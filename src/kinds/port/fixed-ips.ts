import { formatCidr } from '../../lib/cidr.ts'
import { formatIp, type Ip, parseIp } from '../../lib/ip.ts'
import { slaacAddress } from '../../lib/mac.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import { nameHolders, takenFinding } from '../findings.ts'
import type { Claim, Pools, ValueRange } from '../kind.ts'
import { ipPool, ipRange } from '../pools.ts'
import type { IpWishes, PlacedIp } from './ip-wishes.ts'
import { choosable, keepable, type PortSubnet } from './subnets.ts'

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
