import { type Cidr, cidrOf } from './cidr.ts'
import { FAMILY_BITS, type IpFamily } from './ip.ts'
import { mergeRanges, type Range } from './ranges.ts'

/** The fewest prefixes that cover the same addresses, sorted: IPv4 first, then by address (Neutron compacts a pool's prefixes alike). */
export function compactCidrs(cidrs: readonly Cidr[]): readonly Cidr[] {
  const families: readonly IpFamily[] = [4, 6]
  return families.flatMap((family) => {
    const ranges = cidrs.filter((c) => c.family === family).map((c) => ({ from: c.first, to: c.last }))
    return mergeRanges(ranges).flatMap((range) => cidrsOf(family, range))
  })
}

/** The largest blocks first that fit, from the left. */
function cidrsOf(family: IpFamily, range: Range): readonly Cidr[] {
  const out: Cidr[] = []
  for (let at = range.from; at <= range.to; ) {
    const cidr = widestAt(family, at, range.to)
    out.push(cidr)
    at = cidr.last + 1n
  }
  return out
}

function widestAt(family: IpFamily, first: bigint, last: bigint): Cidr {
  const ip = { family, value: first }
  let cidr = cidrOf(ip, FAMILY_BITS[family])
  while (cidr.prefix > 0) {
    const wider = cidrOf(ip, cidr.prefix - 1)
    if (wider.first !== first || wider.last > last) return cidr
    cidr = wider
  }
  return cidr
}

/** Length of the widest block within a range; undefined when the range is empty. */
export function widestPrefix(family: IpFamily, range: Range): number | undefined {
  for (let prefix = 0; prefix <= FAMILY_BITS[family]; prefix++) {
    const size = blockSize(family, prefix)
    if (alignUp(range.from, size) + size - 1n <= range.to) return prefix
  }
  return undefined
}

export function blockSize(family: IpFamily, prefix: number): bigint {
  return 1n << BigInt(FAMILY_BITS[family] - prefix)
}

/** The first multiple of `size` that is not below `n`. */
export function alignUp(n: bigint, size: bigint): bigint {
  return ((n + size - 1n) / size) * size
}

/** A region takes 2^8 blocks. */
const REGION_BITS = 8

/**
 * Where blocks of one length may lie, as ranges in the order of looking. `near` names a region of 256 such blocks, `start` the block in it at which
 * the search begins: upwards, round the region, then through all the rest. Whoever has the same `near` stays together, so that small blocks leave
 * room for large ones. Prefixes that are too small are left out.
 */
export function searchOrder(from: readonly Cidr[], prefix: number, { near, start }: { near: number; start: number }): readonly Range[] {
  const fitting = from.filter((c) => c.prefix <= prefix)
  const { at, region } = findRegion(fitting, prefix, BigInt(near))
  const home = fitting[at]
  if (home === undefined) return []
  const size = blockSize(home.family, prefix)
  const begin = region.from + (BigInt(start) % ((region.to - region.from + 1n) / size)) * size
  const others = [...fitting.slice(at + 1), ...fitting.slice(0, at)].map((c) => ({ from: c.first, to: c.last }))
  const order = [
    { from: begin, to: region.to },
    { from: region.from, to: begin - 1n },
    { from: region.to + 1n, to: home.last },
    ...others,
    { from: home.first, to: region.from - 1n },
  ]
  return order.filter((r) => r.from <= r.to)
}

/** The region with the number `near`, counted through all prefixes and round them. */
function findRegion(cidrs: readonly Cidr[], prefix: number, near: bigint): { readonly at: number; readonly region: Range } {
  const length = (c: Cidr): number => Math.max(c.prefix, prefix - REGION_BITS)
  const counts = cidrs.map((c) => 1n << BigInt(length(c) - c.prefix))
  const total = counts.reduce((sum, n) => sum + n, 0n)
  let left = total === 0n ? 0n : near % total
  const at = counts.findIndex((n) => {
    if (left < n) return true
    left -= n
    return false
  })
  const cidr = cidrs[at]
  if (cidr === undefined) return { at, region: { from: 0n, to: -1n } }
  const size = blockSize(cidr.family, length(cidr))
  const first = cidr.first + left * size
  return { at, region: { from: first, to: first + size - 1n } }
}
