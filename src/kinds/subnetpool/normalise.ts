import type { SubnetpoolDeclared } from '../../../schemas/subnetpool.ts'
import { compactCidrs } from '../../lib/blocks.ts'
import { type Cidr, cidrCovers, formatCidr, parseCidr } from '../../lib/cidr.ts'
import { FAMILY_BITS, formatIp, parseIp } from '../../lib/ip.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import type { Normalised } from '../kind.ts'
import { prefixLengths } from './spec.ts'

/** Prefixes in normal form, and everything about a pool that can be said without looking at another resource (Neutron: B3.2). */
export function normaliseSubnetpool(spec: JsonObject): Normalised {
  const pool = spec as SubnetpoolDeclared
  const read = pool.prefixes.map(readPrefix)
  const cidrs = read.flatMap((r) => (r.cidr === undefined ? [] : [r.cidr]))
  const findings = read.flatMap((r, index) => r.findings.map((f): Finding => ({ ...f, at: ['prefixes', index] })))
  findings.push(...familyFindings(pool, read), ...repeatFindings(pool, read))
  const family = cidrs[0]?.family
  if (family !== undefined) findings.push(...lengthFindings(pool, family))
  return { spec: { ...spec, prefixes: compactCidrs(cidrs).map(formatCidr) }, findings }
}

interface ReadPrefix {
  readonly cidr?: Cidr
  readonly findings: readonly Finding[]
}

function readPrefix(text: string): ReadPrefix {
  const parsed = parseCidr(text)
  const bad = (message: string, hint: string): ReadPrefix => ({ findings: [{ code: 'E0250', message, hint }] })
  if (parsed === undefined) {
    const ip = parseIp(text)
    if (ip === undefined) return bad(`prefix ${text} is not an address with a mask`, 'write it like 10.64.0.0/12 or fd00:64::/40')
    const guess = `${formatIp(ip.family, ip.value)}/${ip.family === 4 ? 16 : 48}`
    return bad(`prefix ${text} has no mask`, `did you mean ${guess}?`)
  }
  const { cidr, hostBits } = parsed
  const right = formatCidr(cidr)
  if (cidr.prefix === 0) return bad(`prefix ${right} is the whole internet`, 'write the prefixes that are really yours')
  if (!hostBits) return { cidr, findings: [] }
  const message = `prefix ${text} has bits to the right of its mask; taken as ${right}`
  return { cidr, findings: [{ code: 'W0250', severity: 'warning', message, hint: `write ${right}` }] }
}

function familyFindings(pool: SubnetpoolDeclared, read: readonly ReadPrefix[]): Finding[] {
  const first = read.findIndex((r) => r.cidr !== undefined)
  const family = read[first]?.cidr?.family
  const other = read.findIndex((r) => r.cidr !== undefined && r.cidr.family !== family)
  if (other < 0) return []
  const message = `prefix ${pool.prefixes[other]} is IPv${family === 4 ? 6 : 4}, ${pool.prefixes[first]} is IPv${family}`
  return [{ code: 'E0251', message, at: ['prefixes', other], hint: 'a pool has one family: make a second pool' }]
}

/** Neutron joins them without a word; one that adds nothing is more often a slip. */
function repeatFindings(pool: SubnetpoolDeclared, read: readonly ReadPrefix[]): Finding[] {
  return read.flatMap(({ cidr }, index) => {
    const outer = read.findIndex((r, i) => {
      if (cidr === undefined || r.cidr === undefined || i === index || !cidrCovers(r.cidr, cidr)) return false
      return r.cidr.prefix < cidr.prefix || i < index
    })
    if (outer < 0) return []
    const message = `prefix ${pool.prefixes[index]} adds nothing: ${pool.prefixes[outer]} has all of it`
    return [{ code: 'W0251', severity: 'warning' as const, message, at: ['prefixes', index], hint: 'remove it' }]
  })
}

function lengthFindings(pool: SubnetpoolDeclared, family: 4 | 6): Finding[] {
  const lengths = prefixLengths(pool, family)
  const { min_prefixlen: min, default_prefixlen: standard, max_prefixlen: max } = lengths
  const bad = (message: string, at: string, hint: string): Finding[] => [{ code: 'E0252', message, at: [at], hint }]
  const most = FAMILY_BITS[family]
  for (const [name, length] of Object.entries(lengths)) {
    if (length > most)
      return bad(`${name} ${length} is more than ${most}, the bits of an IPv${family} address`, name, `write at most ${most}`)
  }
  const said = (name: keyof typeof lengths): string => (pool[name] === undefined ? `${lengths[name]} (the default)` : `${lengths[name]}`)
  const at = (first: keyof typeof lengths, second: keyof typeof lengths): string => (pool[first] === undefined ? second : first)
  if (min > max) {
    const message = `min_prefixlen ${said('min_prefixlen')} is more than max_prefixlen ${said('max_prefixlen')}`
    return bad(message, at('min_prefixlen', 'max_prefixlen'), 'the largest block has the smallest number: min_prefixlen ≤ max_prefixlen')
  }
  if (standard >= min && standard <= max) return []
  const message = `default_prefixlen ${standard} is not within min_prefixlen ${said('min_prefixlen')} and max_prefixlen ${said('max_prefixlen')}`
  return bad(message, at('default_prefixlen', 'min_prefixlen'), `write one from ${min} to ${max}`)
}
