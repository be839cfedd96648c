/** Lets hosts in one by one at a certain pace, and tells the others when their turn is. No I/O. */
export interface Turnstile {
  /** Milliseconds until this host's turn; 0: it may come in. Who comes when it was told to is let in. */
  wait(host: string, now: number): number
}

/** So much of the line is let in at once. */
const AT_ONCE_MS = 200
/** Hosts that were told a time, at most; beyond it those that came first are forgotten, and stand in line again. */
const TOLD_LIMIT = 20_000
/** Told times that a clock or a network brings forward by so much count as met. */
const SLACK_MS = 5

/** `gapMs`: from one host to the next. */
export function createTurnstile(gapMs: number): Turnstile {
  const told = new Map<string, number>()
  let next = 0
  return {
    wait(host, now) {
      const turn = told.get(host)
      if (turn !== undefined) {
        if (turn - now > SLACK_MS) return turn - now
        told.delete(host)
        return 0
      }
      const own = Math.max(next, now)
      next = own + gapMs
      if (own - now <= AT_ONCE_MS) return 0
      told.set(host, own)
      for (const oldest of told.keys()) if (told.size > TOLD_LIMIT) told.delete(oldest)
      return own - now
    },
  }
}
