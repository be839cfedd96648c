import { formatIp, parseIp } from '../../../../src/lib/ip.ts'
import { canonicalMac, formatMac, macValue } from '../../../../src/lib/mac.ts'
import { badValue } from './error.ts'
import { type Field, fullMask } from './fields.ts'
import { type FieldValue, PORT } from './types.ts'

/** Values of fields as text, both ways, in the forms of ovs-ofctl(8). */

const PORT_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(PORT).map(([name, number]) => [number, name]))

export function formatPort(port: number): string {
  return PORT_NAMES.get(port) ?? String(port)
}

/** A number, or the name of a reserved port in any case. Names of interfaces are refused: they are resolved elsewhere. */
export function parsePort(text: string): number {
  const reserved = (PORT as Readonly<Record<string, number>>)[text.toUpperCase()]
  if (reserved !== undefined) return reserved
  const n = parseNumber(text)
  if (n >= 0xffffff00n && n <= 0xffffffffn) return Number(n & 0xffffn)
  if (n > 0xffffn) throw badValue(text, 'no port number')
  return Number(n)
}

/** Decimal, or hexadecimal with 0x. */
export function parseNumber(text: string): bigint {
  if (!/^(?:0[xX][0-9a-fA-F]+|\d+)$/.test(text)) throw badValue(text, 'not a number')
  return BigInt(text)
}

/** A number of at most `bits` bits. */
export function parseUint(text: string, bits: number): number {
  const n = parseNumber(text)
  if (n >> BigInt(bits) !== 0n) throw badValue(text, `more than ${bits} bits`)
  return Number(n)
}

/** `%#x` of C: zero has no prefix. */
export function hexAlt(value: bigint): string {
  return value === 0n ? '0' : `0x${value.toString(16)}`
}

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`
}

/** As inet_ntop of glibc writes it: `::1.2.3.4` where only the last 32 bits are set and the upper 16 of them are not zero. */
export function formatIp6(value: bigint): string {
  return value >> 32n === 0n && value >> 16n !== 0n ? `::${formatIp(4, value)}` : formatIp(6, value)
}

export function parseIp4(text: string): bigint {
  const ip = parseIp(text)
  if (ip?.family !== 4) throw badValue(text, 'not an IPv4 address')
  return ip.value
}

export function parseIp6(text: string): bigint {
  const ip = parseIp(text)
  if (ip?.family !== 6) throw badValue(text, 'not an IPv6 address')
  return ip.value
}

export function parseMac(text: string): bigint {
  const mac = canonicalMac(text)
  if (mac === undefined) throw badValue(text, 'not a MAC address')
  return BigInt(macValue(mac))
}

export function formatMacValue(value: bigint): string {
  return formatMac(Number(value))
}

/** The prefix length of a mask of `bits` bits; undefined when it has holes. */
export function prefixOf(mask: bigint, bits: number): number | undefined {
  const inverse = mask ^ ((1n << BigInt(bits)) - 1n)
  if ((inverse & (inverse + 1n)) !== 0n) return undefined
  return bits - (inverse === 0n ? 0 : inverse.toString(2).length)
}

/** Normal form: value without bits outside the mask; a full mask is left out. A zero mask is no condition: undefined. */
export function fieldValue(field: Field, value: bigint, mask?: bigint): FieldValue | undefined {
  const full = fullMask(field)
  if (value < 0n || value > full) throw badValue(hex(value), `more bits than ${field.name} has`)
  if (mask === undefined || mask === full) return { value }
  if (mask < 0n || mask > full) throw badValue(hex(mask), `more bits than ${field.name} has`)
  if (mask === 0n) return undefined
  if (!field.maskable) throw badValue(hex(mask), `${field.name} takes no mask`)
  return { value: value & mask, mask }
}
