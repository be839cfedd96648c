import { createTask } from 'node-cron'
import type { Log } from './log.ts'

export interface DriftClock {
  stop(): Promise<void>
}

/** Longest random delay after the scheduled moment, so that a fleet does not read its switches in the same second. */
const SPREAD_MS = 2000

/** Calls `check` on a cron schedule (UTC). A schedule that node-cron does not take is logged and leaves the immediate notice through monitors only. */
export function startDriftClock(schedule: string, check: () => void, log: Log): DriftClock {
  try {
    const task = createTask(schedule, () => check(), { timezone: 'UTC', noOverlap: true, maxRandomDelay: SPREAD_MS })
    void task.start()
    return { stop: async () => void (await task.destroy()) }
  } catch (error) {
    log('error', 'the drift schedule is no cron expression; drift is noticed through monitors only', { schedule, error: String(error) })
    return { stop: async () => {} }
  }
}
