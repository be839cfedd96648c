import type { SystemEvent } from '../plugins/callbacks.ts'
import { MISSING_MS } from './render/fleet.ts'

/** Who is there, as events for those who want to be told. Times are milliseconds on the server's monotonic clock. */
export interface Presence {
  /** An agent reported. */
  heard(host: string, at: number): readonly SystemEvent[]
  /** Agents that have not been heard of for too long, each told once, sorted. */
  missing(at: number): readonly SystemEvent[]
}

/** `known`: hosts that reported to an earlier run of the server; their silence counts from `startedAt`. */
export function createPresence(known: Iterable<string>, startedAt: number): Presence {
  const heardAt = new Map([...known].map((host) => [host, startedAt]))
  const down = new Set<string>()
  return {
    heard(host, at) {
      const isNew = !heardAt.has(host)
      heardAt.set(host, at)
      if (isNew) return [{ name: 'agent/new', host }]
      return down.delete(host) ? [{ name: 'agent/revived', host }] : []
    },
    missing(at) {
      const gone = [...heardAt].flatMap(([host, last]) => (at - last > MISSING_MS && !down.has(host) ? [host] : [])).sort()
      for (const host of gone) down.add(host)
      return gone.map((host) => ({ name: 'agent/down', host }))
    },
  }
}
