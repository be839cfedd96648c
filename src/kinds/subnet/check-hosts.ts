import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import { type Cidr, cidrContains, formatCidr } from '../../lib/cidr.ts'
import { formatIp, type Ip, parseIp } from '../../lib/ip.ts'
import type { Range } from '../../lib/ranges.ts'
import type { Finding } from '../../model/issue.ts'
import { defaultGateway, hostBounds } from './bounds.ts'

/** Neutron's `check_gateway_invalid_in_subnet` (B3.1); a /31 or /32 without the word `null` is refused instead of given a gateway that cannot be. */
export function gatewayFindings(subnet: SubnetDeclared, cidr: Cidr, chosen: boolean): Finding[] {
  const { gateway_ip: text } = subnet
  if (text === null) return []
  const at = ['gateway_ip']
  const none = 'write gateway_ip: null'
  if (text === undefined) {
    const edge = cidr.family === 4 && cidr.prefix >= 31
    if (!edge && cidrContains(cidr, { family: cidr.family, value: defaultGateway(cidr, chosen) })) return []
    return [{ code: 'E0213', message: `cidr ${formatCidr(cidr)} has no room for a gateway`, at: ['cidr'], hint: none }]
  }
  const ip = parseIp(text)
  if (ip === undefined) return []
  const error = (message: string, hint: string): Finding[] => [{ code: 'E0213', message, at, hint }]
  if (ip.family !== cidr.family)
    return error(`gateway_ip ${text} is IPv${ip.family}, the subnet is IPv${cidr.family}`, 'write an address of the subnet')
  if (!cidrContains(cidr, ip)) {
    const message = `gateway_ip ${text} is outside of ${formatCidr(cidr)}: hosts reach it only with a route to it`
    return [
      {
        code: 'W0213',
        severity: 'warning',
        message,
        at,
        hint: `if that is not meant, write ${formatIp(cidr.family, hostBounds(cidr).from)}`,
      },
    ]
  }
  if (cidr.family === 4 && (ip.value === cidr.first || ip.value === cidr.last))
    return error(edgeMessage(text, ip, cidr), cidr.prefix >= 31 ? none : 'write an address between them')
  return []
}

function edgeMessage(text: string, ip: Ip, cidr: Cidr): string {
  if (cidr.prefix >= 31) return `gateway_ip ${text} cannot be in a /${cidr.prefix}: it has no address besides the first and the last`
  return `gateway_ip ${text} is the ${ip.value === cidr.first ? 'network' : 'broadcast'} address of ${formatCidr(cidr)}`
}

/** Pools that are written: of the subnet's family, in order, inside of what hosts can have, apart from each other and from the gateway. */
export function poolFindings(subnet: SubnetDeclared, cidr: Cidr): Finding[] {
  const findings: Finding[] = []
  const bounds = hostBounds(cidr)
  const seen: { range: Range; index: number }[] = []
  subnet.allocation_pools?.forEach((pool, index) => {
    const start = parseIp(pool.start)
    const end = parseIp(pool.end)
    if (start === undefined || end === undefined) return
    const name = `allocation pool ${pool.start}–${pool.end}`
    const at = ['allocation_pools', index]
    const range = { from: start.value, to: end.value }
    const fault = poolFault(start, end, cidr, bounds)
    const other = seen.find((s) => s.range.from <= range.to && range.from <= s.range.to)
    const gateway = typeof subnet.gateway_ip === 'string' ? parseIp(subnet.gateway_ip) : undefined
    if (fault !== undefined) findings.push({ code: 'E0214', message: `${name} ${fault.what}`, at, hint: fault.hint })
    else if (other !== undefined)
      findings.push({
        code: 'E0214',
        message: `${name} overlaps the pool at place ${other.index + 1}`,
        at,
        hint: 'join the two, or part them',
      })
    else if (gateway?.family === cidr.family && gateway.value >= range.from && gateway.value <= range.to) {
      const message = `gateway_ip ${subnet.gateway_ip} lies in ${name}`
      findings.push({ code: 'E0214', message, at, hint: 'split the pool around the gateway' })
    }
    if (fault === undefined) seen.push({ range, index })
  })
  return findings
}

function poolFault(start: Ip, end: Ip, cidr: Cidr, bounds: Range): { what: string; hint: string } | undefined {
  if (start.family !== cidr.family || end.family !== cidr.family)
    return { what: `is not IPv${cidr.family} as the subnet`, hint: `write addresses of ${formatCidr(cidr)}` }
  if (start.value > end.value) return { what: 'ends before it starts', hint: 'swap start and end' }
  if (start.value >= bounds.from && end.value <= bounds.to) return undefined
  const usable = `${formatIp(cidr.family, bounds.from)}–${formatIp(cidr.family, bounds.to)}`
  return { what: `is not within ${usable}, the hosts of ${formatCidr(cidr)}`, hint: 'write addresses from there' }
}

/** The gateway that was not written must not fall into a pool that was. */
export function defaultGatewayFinding(subnet: SubnetDeclared, cidr: Cidr, gateway: bigint): Finding | undefined {
  const index = subnet.allocation_pools?.findIndex((pool) => {
    const from = parseIp(pool.start)?.value ?? 0n
    const to = parseIp(pool.end)?.value ?? -1n
    return gateway >= from && gateway <= to
  })
  if (index === undefined || index < 0) return undefined
  const text = formatIp(cidr.family, gateway)
  const message = `${text}, the gateway where none is written, lies in allocation pool ${index + 1}`
  return {
    code: 'E0214',
    message,
    at: ['allocation_pools', index],
    hint: 'split the pool around it, write another gateway_ip, or gateway_ip: null',
  }
}
