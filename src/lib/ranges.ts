/** Inclusive bounds. */
export interface Range {
  readonly from: bigint
  readonly to: bigint
}

/** Sorted, disjoint and merged where they touch; empty ranges (`from > to`) vanish. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const sorted = ranges.filter((r) => r.from <= r.to).sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))
  const out: { from: bigint; to: bigint }[] = []
  for (const range of sorted) {
    const last = out.at(-1)
    if (last === undefined || range.from > last.to + 1n) out.push({ from: range.from, to: range.to })
    else if (range.to > last.to) last.to = range.to
  }
  return out
}

/** What remains of `from` without the points and stretches of `holes`. */
export function subtractRanges(from: readonly Range[], holes: readonly Range[]): Range[] {
  let left = mergeRanges(from)
  for (const hole of mergeRanges(holes)) {
    left = left.flatMap((r) =>
      hole.to < r.from || hole.from > r.to
        ? [r]
        : [
            { from: r.from, to: hole.from - 1n },
            { from: hole.to + 1n, to: r.to },
          ].filter((part) => part.from <= part.to),
    )
  }
  return left
}

/** What both have; empty (`from > to`) when that is nothing. */
export function intersectRanges(a: Range, b: Range): Range {
  return { from: larger(a.from, b.from), to: -larger(-a.to, -b.to) }
}

/** `Math.max` does not take bigints. */
function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a
  return b
}

export function rangesSize(ranges: readonly Range[]): bigint {
  return ranges.reduce((sum, r) => sum + r.to - r.from + 1n, 0n)
}

export function inRanges(ranges: readonly Range[], value: bigint): boolean {
  return ranges.some((r) => value >= r.from && value <= r.to)
}

/** The value at an offset counted through all ranges in order; the offset must be below their size. */
export function rangesAt(ranges: readonly Range[], offset: bigint): bigint {
  let left = offset
  for (const r of ranges) {
    const size = r.to - r.from + 1n
    if (left < size) return r.from + left
    left -= size
  }
  throw new RangeError(`offset ${offset} outside of ranges`)
}
