import { Address6 } from 'ip-address'

export type IpFamily = 4 | 6

/** An address as a number; the one form in which addresses are compared and counted. */
export interface Ip {
  readonly family: IpFamily
  readonly value: bigint
}

export const FAMILY_BITS: Readonly<Record<IpFamily, number>> = { 4: 32, 6: 128 }

const QUAD = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/

/**
 * Strict: four decimal octets without leading zeros, or RFC 4291 text without zone and prefix. `010.0.0.1` and `10.1` are refused,
 * because other tools read them as 8.0.0.1 and 10.0.0.1.
 */
export function parseIp(text: string): Ip | undefined {
  const quad = QUAD.exec(text)
  if (quad !== null) return parseQuad(quad)
  // The library drops a zone id silently and takes a prefix along.
  if (!text.includes(':') || text.includes('%') || text.includes('/') || !Address6.isValid(text)) return undefined
  return { family: 6, value: new Address6(text).bigInt() }
}

function parseQuad(quad: readonly string[]): Ip | undefined {
  let value = 0
  for (let i = 1; i <= 4; i++) {
    const octet = Number(quad[i])
    if (octet > 255) return undefined
    value = value * 256 + octet
  }
  return { family: 4, value: BigInt(value) }
}

/** Dotted decimal, or the text of RFC 5952 (IPv4-mapped addresses in mixed notation). */
export function formatIp(family: IpFamily, value: bigint): string {
  return family === 4 ? formatQuad(Number(value)) : formatIp6(value)
}

/** Four bytes or sixteen, in the order of the network. */
export function ipBytes({ family, value }: Ip): Buffer {
  return Buffer.from(value.toString(16).padStart(FAMILY_BITS[family] / 4, '0'), 'hex')
}

function formatQuad(n: number): string {
  return `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`
}

function formatIp6(value: bigint): string {
  if (value >> 32n === 0xffffn) return `::ffff:${formatQuad(Number(value & 0xffffffffn))}`
  const groups: number[] = []
  for (let shift = 96n; shift >= 0n; shift -= 32n) {
    const word = Number((value >> shift) & 0xffffffffn)
    groups.push(word >>> 16, word & 0xffff)
  }
  const zeros = longestZeros(groups)
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(':')
  return zeros.length < 2 ? hex(0, 8) : `${hex(0, zeros.start)}::${hex(zeros.start + zeros.length, 8)}`
}

/** RFC 5952, 4.2: the longest run is shortened, the first of equals, never a single group. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let run = 0
  groups.forEach((group, i) => {
    run = group === 0 ? run + 1 : 0
    if (run > best.length) best = { start: i - run + 1, length: run }
  })
  return best
}

/** The normal form of an address; undefined when it is none. */
export function canonicalIp(text: string): string | undefined {
  const ip = parseIp(text)
  return ip === undefined ? undefined : formatIp(ip.family, ip.value)
}

/** 224.0.0.0/4, ff00::/8. */
export function isMulticastIp(ip: Ip): boolean {
  return ip.family === 4 ? ip.value >> 28n === 0xen : ip.value >> 120n === 0xffn
}

/** 127.0.0.0/8, ::1. */
export function isLoopbackIp(ip: Ip): boolean {
  return ip.family === 4 ? ip.value >> 24n === 127n : ip.value === 1n
}

/** fe80::/10. */
export function isLinkLocal6(ip: Ip): boolean {
  return ip.family === 6 && ip.value >> 118n === 0x3fan
}
