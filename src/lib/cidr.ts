import { FAMILY_BITS, formatIp, type Ip, type IpFamily, parseIp } from './ip.ts'

/** A prefix; `first` is its network address, `last` its highest address (IPv4: the broadcast address). */
export interface Cidr {
  readonly family: IpFamily
  readonly prefix: number
  readonly first: bigint
  readonly last: bigint
}

export interface ParsedCidr {
  readonly cidr: Cidr
  /** The address as written had bits right of the mask (`10.0.0.5/24`). */
  readonly hostBits: boolean
}

/** Strict, and the mask must be written: `10.0.0.0/33`, `10.0.0.0/08` and `10.0.0.0` are refused. */
export function parseCidr(text: string): ParsedCidr | undefined {
  const slash = text.indexOf('/')
  const mask = text.slice(slash + 1)
  if (slash < 0 || !/^(0|[1-9]\d{0,2})$/.test(mask)) return undefined
  const ip = parseIp(text.slice(0, slash))
  if (ip === undefined || Number(mask) > FAMILY_BITS[ip.family]) return undefined
  const cidr = cidrOf(ip, Number(mask))
  return { cidr, hostBits: cidr.first !== ip.value }
}

/** The prefix of that length in which an address lies. */
export function cidrOf(ip: Ip, prefix: number): Cidr {
  const host = BigInt(FAMILY_BITS[ip.family] - prefix)
  const first = (ip.value >> host) << host
  return { family: ip.family, prefix, first, last: first + (1n << host) - 1n }
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr.family, cidr.first)}/${cidr.prefix}`
}

/** `10.0.0.5` → `10.0.0.5/32`, an address alone as a prefix; `10.0.0.5/24` → `10.0.0.0/24`. Undefined when it is neither. */
export function canonicalPrefix(text: string): string | undefined {
  if (text.includes('/')) {
    const parsed = parseCidr(text)
    return parsed === undefined ? undefined : formatCidr(parsed.cidr)
  }
  const ip = parseIp(text)
  return ip === undefined ? undefined : formatCidr(cidrOf(ip, FAMILY_BITS[ip.family]))
}

export function cidrContains(cidr: Cidr, ip: Ip): boolean {
  return cidr.family === ip.family && ip.value >= cidr.first && ip.value <= cidr.last
}

/** The same of a prefix as text; text that is none contains nothing. */
export function prefixContains(prefix: string, ip: Ip): boolean {
  const cidr = parseCidr(prefix)?.cidr
  return cidr !== undefined && cidrContains(cidr, ip)
}

export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last
}

/** `inner` is a part of `outer`, or all of it. */
export function cidrCovers(outer: Cidr, inner: Cidr): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last
}

export function cidrSize(cidr: Cidr): bigint {
  return cidr.last - cidr.first + 1n
}
