/** One measured thing: where (`10,000 ports`), what, and its samples summed up. Beside it what it is compared with. */
export interface Figure {
  readonly at: string
  readonly what: string
  readonly unit: Unit
  readonly n: number
  readonly median: number
  readonly p95: number
  readonly min: number
  readonly max: number
  /** The same work done by the least that can do it, in the same run. */
  readonly floor?: Floor
  readonly target?: Target
}

export type Unit = 'ms' | 's' | 'MB' | 'flows/s' | '%' | 'items' | 'B'

export interface Floor {
  readonly what: string
  readonly value: number
}

/** What is to be reached: an absolute figure, or a ratio to the floor. */
export type Target = { readonly atMost: number } | { readonly atLeast: number } | { readonly timesFloor: number }

/** Throws on no samples: a benchmark that measured nothing has failed. */
export function figure(
  at: string,
  what: string,
  unit: Unit,
  samples: readonly number[],
  beside: { readonly floor?: Floor; readonly target?: Target } = {},
): Figure {
  const sorted = [...samples].sort((a, b) => a - b)
  const [min] = sorted
  const max = sorted.at(-1)
  if (min === undefined || max === undefined) throw new Error(`no samples of ${what} at ${at}`)
  return { at, what, unit, n: sorted.length, median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), min, max, ...beside }
}

/** Nearest rank; the middle of two for an even median. */
function quantile(sorted: readonly number[], q: number): number {
  const exact = q * (sorted.length - 1)
  const low = sorted[Math.floor(exact)] ?? Number.NaN
  const high = sorted[Math.ceil(exact)] ?? Number.NaN
  return q === 0.5 ? (low + high) / 2 : high
}

export function median(samples: readonly number[]): number {
  return quantile(
    [...samples].sort((a, b) => a - b),
    0.5,
  )
}

/** How many times the floor: above 1 is slower than it, also for rates. */
export function ratio(f: Figure): number | undefined {
  if (f.floor === undefined || f.floor.value === 0 || f.median === 0) return undefined
  return f.unit === 'flows/s' ? f.floor.value / f.median : f.median / f.floor.value
}

/** Undefined where there is no target. */
export function isMet(f: Figure): boolean | undefined {
  const { target } = f
  if (target === undefined) return undefined
  if ('atMost' in target) return f.median <= target.atMost
  if ('atLeast' in target) return f.median >= target.atLeast
  const times = ratio(f)
  return times === undefined ? undefined : times <= target.timesFloor
}

export function targetText(f: Figure): string {
  const { target } = f
  if (target === undefined) return ''
  const text = 'atMost' in target ? `≤ ${target.atMost}` : 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.timesFloor}× floor`
  return `${text} ${isMet(f) === true ? 'met' : 'MISSED'}`
}

export function numberText(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
