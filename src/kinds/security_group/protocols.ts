import { PROTOCOL_NUMBERS as NUMBERS, WITH_PORTS } from '../../lib/ip-protocol.ts'
import { didYouMean } from '../../lib/suggest.ts'

export const ICMP = 1
export const ICMPV6 = 58

/** Protocols that come after an IPv6 header only. */
const IPV6_ONLY: ReadonlySet<number> = new Set([41, 43, 44, ICMPV6, 59, 60])

export type ReadProtocol = { readonly number: number | undefined } | { readonly fault: string; readonly hint: string }

/**
 * Number of a protocol as written, any case; undefined for `any`. With IPv6, ICMP is the one of IPv6 under every name and number, as in Neutron.
 */
export function readProtocol(written: string | number, ethertype: 'IPv4' | 'IPv6'): ReadProtocol {
  const text = String(written).toLowerCase()
  if (text === 'any') return { number: undefined }
  const number = NUMBERS.get(text) ?? (/^\d{1,3}$/.test(text) ? Number(text) : undefined)
  if (number === undefined || number > 255) {
    const near = didYouMean(text, NUMBERS.keys())
    const hint = /^-?\d/.test(text)
      ? 'write 0 to 255, or leave it out for any'
      : near === undefined
        ? `write a number, or one of ${[...NUMBERS.keys()].join(', ')}`
        : `did you mean ${near}?`
    return { fault: `protocol ${written} is not an IP protocol`, hint }
  }
  if (ethertype === 'IPv6') return { number: number === ICMP ? ICMPV6 : number }
  if (!IPV6_ONLY.has(number)) return { number }
  const hint = number === ICMPV6 ? 'write ethertype: IPv6, or protocol: icmp' : 'write ethertype: IPv6'
  return { fault: `protocol ${written} is one of IPv6, and the rule is for IPv4`, hint }
}

/** The number that a normal spelling stands for. */
export function protocolNumber(normal: string | number): number {
  return typeof normal === 'number' ? normal : (NUMBERS.get(normal) ?? 0)
}

export function hasPorts(number: number): boolean {
  return WITH_PORTS.has(number)
}

export function isIcmp(number: number): boolean {
  return number === ICMP || number === ICMPV6
}
