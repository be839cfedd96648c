import type { Cidr } from './cidr.ts'

const PAIRS = /^([0-9a-f]{1,2})[:-]([0-9a-f]{1,2})[:-]([0-9a-f]{1,2})[:-]([0-9a-f]{1,2})[:-]([0-9a-f]{1,2})[:-]([0-9a-f]{1,2})$/
const NORMAL = /^[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}$/
const DOTTED = /^([0-9a-f]{4})\.([0-9a-f]{4})\.([0-9a-f]{4})$/
const BARE = /^[0-9a-f]{12}$/

/**
 * The normal form, six lower-case pairs with colons, of any spelling Neutron takes: `00-11-22-33-44-55`, `001122334455`, `0:1:2:3:4:5`,
 * `0011.2233.4455`, upper case. Undefined when it is no MAC address.
 */
export function canonicalMac(text: string): string | undefined {
  if (NORMAL.test(text)) return text
  const lower = text.toLowerCase()
  const pairs = PAIRS.exec(lower)
  if (pairs !== null) {
    if (lower.includes(':') && lower.includes('-')) return undefined
    return pairs
      .slice(1)
      .map((p) => p.padStart(2, '0'))
      .join(':')
  }
  const bare = DOTTED.exec(lower)?.slice(1).join('') ?? lower
  return BARE.test(bare) ? (bare.match(/../g) ?? []).join(':') : undefined
}

/** 48 bits, safe as a JavaScript number. The text must be in normal form. */
export function macValue(mac: string): number {
  let value = 0
  for (let at = 0; at < mac.length; at += 3) value = value * 256 + Number.parseInt(mac.slice(at, at + 2), 16)
  return value
}

export function formatMac(value: number): string {
  const hex = value.toString(16).padStart(12, '0')
  return [hex.slice(0, 2), hex.slice(2, 4), hex.slice(4, 6), hex.slice(6, 8), hex.slice(8, 10), hex.slice(10, 12)].join(':')
}

/** Six bytes. The text must be in normal form. */
export function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex')
}

/** The group bit of the first octet; broadcast is multicast too. */
export function isMulticastMac(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1
}

/** The 64-bit interface identifier of RFC 4291, appendix A: `fffe` in the middle, the universal bit turned. */
export function interfaceIdentifier(mac: string): bigint {
  const value = BigInt(macValue(mac))
  return (((value >> 24n) << 40n) | (0xfffen << 24n) | (value & 0xffffffn)) ^ (1n << 57n)
}

/** The address a host with that MAC gives itself in a /64 (SLAAC, RFC 4862). */
export function slaacAddress(prefix: Cidr, mac: string): bigint {
  return ((prefix.first >> 64n) << 64n) | interfaceIdentifier(mac)
}

/** The IPv6 link-local address (fe80::/64) of a MAC, as a number. */
export function linkLocalAddress(mac: string): bigint {
  return (0xfe80n << 112n) | interfaceIdentifier(mac)
}
