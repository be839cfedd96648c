/** Delays in milliseconds. The n-th retry waits `first * factor^(n-1)`, at most `max`, less a random share of up to `jitter`. */
export interface Backoff {
  readonly first: number
  readonly max: number
  readonly factor: number
  /** 0 to 1. Spreads out many agents that lost the same server at the same moment. */
  readonly jitter: number
}

/** `attempt` counts from 1; `random` is in [0, 1). */
export function backoffDelay(backoff: Backoff, attempt: number, random: number): number {
  const grown = backoff.first * backoff.factor ** Math.min(Math.max(attempt, 1) - 1, 64)
  return Math.round(Math.min(grown, backoff.max) * (1 - backoff.jitter * random))
}
