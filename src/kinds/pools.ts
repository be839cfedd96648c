import { formatIp, type IpFamily, parseIp } from '../lib/ip.ts'
import { canonicalMac, formatMac, macValue } from '../lib/mac.ts'
import type { Range } from '../lib/ranges.ts'
import type { Key } from '../model/key.ts'
import type { ValueRange } from './kind.ts'

/*
 * Names of all pools. A name carries resource names, which may hold any character but `/`; `|` parts pool and value in the store, so it is
 * written `%7C` here (and `%` as `%25`).
 */
function poolName(what: string, ...parts: readonly string[]): string {
  return [what, ...parts.map((p) => p.replaceAll('%', '%25').replaceAll('|', '%7C'))].join(':')
}

/** Addresses of one subnet. */
export function ipPool(subnet: Key): string {
  return poolName('ip', subnet)
}

/** MAC addresses: unique per network (Neutron, B3.5). */
export function macPool(network: Key): string {
  return poolName('mac', network)
}

/** `segment:vxlan`, `segment:vlan:physnet1`; flat has one pool, whose values are the physical networks. */
export function segmentPool(type: string, physicalNetwork?: string): string {
  return physicalNetwork === undefined ? poolName('segment', type) : poolName('segment', type, physicalNetwork)
}

const BLOCKS = 'cidr'

/** Blocks of one subnet pool, of any length: no two overlap. */
export function blockPool(subnetpool: Key): string {
  return poolName(BLOCKS, subnetpool)
}

export function isBlockPool(pool: string): boolean {
  return pool.startsWith(`${BLOCKS}:`)
}

const UNIQUE = 'unique'

/** Values that are only ever written, never chosen: the pool keeps them unique, and nothing is reserved when they go. */
export function uniquePool(what: string, ...within: readonly string[]): string {
  return poolName(UNIQUE, what, ...within)
}

export function isUniquePool(pool: string): boolean {
  return pool.startsWith(`${UNIQUE}:`)
}

export function ipRange(family: IpFamily, range: Range): ValueRange {
  return {
    ...range,
    format: (n) => formatIp(family, n),
    parse: (text) => {
      const ip = parseIp(text)
      return ip?.family === family ? ip.value : undefined
    },
  }
}

export function numberRange(from: number, to: number): ValueRange {
  return {
    from: BigInt(from),
    to: BigInt(to),
    format: (n) => n.toString(),
    parse: (text) => (/^\d{1,10}$/.test(text) ? BigInt(text) : undefined),
  }
}

/**
 * Neutron's rule for `base_mac` (B3.5): three octets are kept, a fourth that is not 00 too.
 */
export function macRange(baseMac: string): ValueRange {
  const base = macValue(baseMac)
  const span = (base >>> 16) % 256 === 0 ? 2 ** 24 : 2 ** 16
  const from = base - (base % span)
  return macValues(from, from + span - 1)
}

/** Where a MAC that was chosen earlier may stay: anywhere. */
export const ANY_MAC: ValueRange = macValues(0, 2 ** 48 - 1)

function macValues(from: number, to: number): ValueRange {
  return {
    from: BigInt(from),
    to: BigInt(to),
    format: (n) => formatMac(Number(n)),
    parse: (text) => {
      const mac = canonicalMac(text)
      return mac === undefined ? undefined : BigInt(macValue(mac))
    },
  }
}
