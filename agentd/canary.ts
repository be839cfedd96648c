import type { Dataplane } from '../src/model/status.ts'

export interface CanaryOptions {
  /** Asks the switch something small; rejects when it does not answer. */
  readonly probe: (timeoutMs: number) => Promise<void>
  readonly onChange: () => void
  /** ISO 8601. */
  readonly now: () => string
  readonly timing?: CanaryTiming
}

export interface CanaryTiming {
  readonly everyMs: number
  readonly timeoutMs: number
  /** After an answer that did not come. */
  readonly againMs: number
}

export interface Canary {
  /** Undefined until the first answer, or the first silence. */
  state(): Dataplane | undefined
  /** A connection to the switch broke: ask now. */
  doubt(): void
  close(): void
}

const TIMING: CanaryTiming = { everyMs: 1000, timeoutMs: 2000, againMs: 250 }
/** One answer that is late is no silence, and one refused connection no end: a switch that is started again may be back before anybody need hear of it. */
const MISSES = 2

/**
 * Asks the switch every second whether it is there: a fact of its own, apart from the agent's heartbeat, its target and its drift. A stalled vswitchd and a stopped
 * agent look alike from afar, and are not (Neutron's canary table; complaint: an agent that is "up" on a dead switch). Nobody at the other end refuses at once, so that
 * a switch that ended is known after `againMs`, and one that hangs after twice `timeoutMs`; one that is back is known as soon as it answers.
 */
export function startCanary({ probe, onChange, now, timing = TIMING }: CanaryOptions): Canary {
  let current: Dataplane | undefined
  let misses = 0
  let closed = false
  let asking = false
  let timer: NodeJS.Timeout | undefined

  async function ask(): Promise<void> {
    clearTimeout(timer)
    asking = true
    const answered = await probe(timing.timeoutMs).then(
      () => true,
      () => false,
    )
    asking = false
    misses = answered ? 0 : misses + 1
    const state = answered ? 'answers' : misses >= MISSES ? 'silent' : current?.state
    if (closed) return
    if (state !== undefined && state !== current?.state) {
      current = { state, since: now() }
      onChange()
    }
    timer = setTimeout(() => void ask(), answered ? timing.everyMs : timing.againMs)
  }

  void ask()
  return {
    state: () => current,
    doubt() {
      // A question that is under way fails by itself when nobody is there.
      if (!asking && !closed && misses === 0) void ask()
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}
