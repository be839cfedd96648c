import type { PortDeclared } from '../../../schemas/port.ts'
import { canonicalPrefix } from '../../lib/cidr.ts'
import { canonicalIp } from '../../lib/ip.ts'
import { canonicalMac, isMulticastMac } from '../../lib/mac.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import type { Normalised } from '../kind.ts'
import { migrationWords } from './migration.ts'
import { plugFindings } from './plug.ts'

/** Neutron's `max_allowed_address_pair`. */
const MOST_PAIRS = 10

/** Spellings, and rules that need no other resource. Lists keep their order: findings point into them by index. */
export function normalisePort(spec: JsonObject): Normalised {
  const port = spec as PortDeclared
  const findings: Finding[] = []
  const mac = port.mac_address === undefined ? {} : { mac_address: normalMac(port.mac_address, ['mac_address'], 'E0220', findings) }
  const ips = port.fixed_ips === undefined ? {} : { fixed_ips: normalIps(port.fixed_ips, findings) }
  const pairs = port.allowed_address_pairs === undefined ? {} : { allowed_address_pairs: normalPairs(port.allowed_address_pairs, findings) }
  findings.push(...plugFindings(port), ...migrationWords(port))
  return { spec: { ...spec, ...mac, ...ips, ...pairs }, findings }
}

/** Neutron accepts a multicast MAC on a port (B4), which no switch can deliver to. */
function normalMac(text: string, at: ValuePath, code: string, findings: Finding[]): string {
  const mac = canonicalMac(text)
  const hint = 'write a unicast MAC such as fa:16:3e:00:00:05, or leave it out'
  if (mac === undefined) findings.push({ code, message: `mac_address ${text} is not a MAC address`, at, hint })
  else if (isMulticastMac(mac))
    findings.push({ code, message: `mac_address ${text} is a multicast address, which no single port can have`, at, hint })
  else if (mac === '00:00:00:00:00:00') findings.push({ code, message: 'mac_address 00:00:00:00:00:00 is nobody’s address', at, hint })
  return mac ?? text
}

type DeclaredIp = NonNullable<PortDeclared['fixed_ips']>[number]

function normalIps(ips: readonly DeclaredIp[], findings: Finding[]): JsonObject[] {
  const seen = new Map<string, number>()
  return ips.map((entry, i) => {
    if (entry.ip_address === undefined) return { ...entry }
    const ip = canonicalIp(entry.ip_address)
    const at = ['fixed_ips', i, 'ip_address']
    const first = seen.get(ip ?? '')
    if (ip === undefined) {
      const hint = entry.ip_address.includes('/') ? 'write the address without a mask' : 'write it like 10.10.0.11 or fd00:10::11'
      findings.push({ code: 'E0222', message: `ip_address ${entry.ip_address} is not an IP address`, at, hint })
    } else if (first !== undefined) {
      findings.push({
        code: 'E0222',
        message: `ip_address ${ip} is written twice (places ${first + 1} and ${i + 1})`,
        at,
        hint: 'remove one',
      })
    } else seen.set(ip, i)
    return { ...entry, ip_address: ip ?? entry.ip_address }
  })
}

type DeclaredPair = NonNullable<PortDeclared['allowed_address_pairs']>[number]

function normalPairs(pairs: readonly DeclaredPair[], findings: Finding[]): JsonObject[] {
  const seen = new Map<string, number>()
  return pairs.map((pair, i) => {
    const at = ['allowed_address_pairs', i]
    const prefix = canonicalPrefix(pair.ip_address)
    const mac = pair.mac_address === undefined ? undefined : normalMac(pair.mac_address, [...at, 'mac_address'], 'E0226', findings)
    const id = `${prefix ?? pair.ip_address} ${mac ?? ''}`
    const first = seen.get(id)
    if (prefix === undefined) {
      const hint = 'write an address, or a prefix such as 10.10.0.0/28'
      findings.push({
        code: 'E0226',
        message: `ip_address ${pair.ip_address} of an allowed address pair is no address or prefix`,
        at: [...at, 'ip_address'],
        hint,
      })
    } else if (first !== undefined) {
      findings.push({
        code: 'E0226',
        message: `allowed address pair ${pair.ip_address} is written twice (places ${first + 1} and ${i + 1})`,
        at,
        hint: 'remove one',
      })
    } else if (i === MOST_PAIRS) {
      findings.push({ code: 'E0226', message: `more than ${MOST_PAIRS} allowed address pairs`, at, hint: 'join addresses into prefixes' })
    }
    seen.set(id, first ?? i)
    return {
      ip_address: prefix === undefined ? pair.ip_address : withoutFullMask(prefix),
      ...(mac === undefined ? {} : { mac_address: mac }),
    }
  })
}

/** `10.0.0.5/32` is the address 10.0.0.5, whichever way it was written. */
function withoutFullMask(prefix: string): string {
  return prefix.replace(prefix.includes(':') ? /\/128$/ : /\/32$/, '')
}
