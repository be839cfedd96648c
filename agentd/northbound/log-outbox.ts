import type { LogEntry } from '../../src/model/log-entry.ts'
import { type LogBatch, MAX_LOG_BATCH } from '../../src/wire/messages.ts'

/** What is logged, on its way to the server. Nothing waits for it: what is too much while the server is away is lost there, and counted; the host has it all. */
export interface LogOutbox {
  add(entry: LogEntry): void
  /** The oldest that are not acknowledged; undefined: none. */
  next(): LogBatch | undefined
  /** True when more are waiting. */
  acknowledge(batch: LogBatch): boolean
}

/** Entries that wait for the server: some 20 s at Neutron's limits. */
const MOST = 5000

export function createLogOutbox(): LogOutbox {
  let entries: LogEntry[] = []
  /** Number of the first of them in this life of the agent. */
  let first = 0
  let lost = 0
  return {
    add(entry) {
      entries.push(entry)
      if (entries.length <= MOST) return
      // A tenth at a time: not the whole list for each that comes.
      const over = MOST / 10
      entries = entries.slice(over)
      first += over
      lost += over
    },
    next() {
      if (entries.length === 0) return undefined
      return { first, entries: entries.slice(0, MAX_LOG_BATCH), ...(lost === 0 ? {} : { lost }) }
    },
    acknowledge({ first: from, entries: sent, lost: told = 0 }) {
      lost -= told
      const done = Math.max(0, from + sent.length - first)
      entries = entries.slice(done)
      first += done
      return entries.length > 0
    },
  }
}
