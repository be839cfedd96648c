const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * A span for people, in its one most telling unit, rounded down: `0 s`, `90 s`, `11 min`, `30 h`, `4 d`. The next unit is taken from two of
 * it on, so that no value is off by more than half. Negative spans (clocks that differ) are `0 s`.
 */
export function formatDuration(ms: number): string {
  if (ms >= 2 * DAY) return `${Math.floor(ms / DAY)} d`
  if (ms >= 2 * HOUR) return `${Math.floor(ms / HOUR)} h`
  if (ms >= 2 * MINUTE) return `${Math.floor(ms / MINUTE)} min`
  return `${Math.max(0, Math.floor(ms / SECOND))} s`
}

/** How long ago an ISO 8601 moment was; the text itself where it is none. */
export function formatAge(iso: string, now: number): string {
  const then = Date.parse(iso)
  return Number.isNaN(then) ? iso : formatDuration(now - then)
}
