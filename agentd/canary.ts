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
}

export interface Canary {
  /** Undefined until the first answer, or the first silence. */
  state(): Dataplane | undefined
  close(): void
}

const TIMING: CanaryTiming = { everyMs: 5000, timeoutMs: 2000 }
/** One answer that is late is no silence: a switch that takes on a thousand ports is busy for seconds. */
const MISSES = 2

/**
 * Asks the switch every few seconds whether it is there: a fact of its own, apart from the agent's heartbeat, its target and its drift. A stalled vswitchd and a stopped
 * agent look alike from afar, and are not (Neutron's canary table; complaint: an agent that is "up" on a dead switch).
 */
export function startCanary({ probe, onChange, now, timing = TIMING }: CanaryOptions): Canary {
  let current: Dataplane | undefined
  let misses = 0
  let closed = false
  let timer: NodeJS.Timeout | undefined

  async function ask(): Promise<void> {
    const answered = await probe(timing.timeoutMs).then(
      () => true,
      () => false,
    )
    misses = answered ? 0 : misses + 1
    const state = answered ? 'answers' : misses >= MISSES ? 'silent' : current?.state
    if (closed) return
    if (state !== undefined && state !== current?.state) {
      current = { state, since: now() }
      onChange()
    }
    timer = setTimeout(() => void ask(), timing.everyMs)
  }

  void ask()
  return {
    state: () => current,
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}
