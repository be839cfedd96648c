import type { Hello, Report } from '../wire/messages.ts'
import type { CallbackRunner } from './callbacks/runner.ts'
import { VERSION } from './context.ts'
import { type HostRecord, rememberedHosts, withReport } from './fleet.ts'
import type { HubHandlers } from './hub/hub.ts'
import { createPresence } from './presence.ts'
import { createSaver } from './report-saver.ts'
import { createRivals, type Rivals } from './rivals.ts'
import { createGreeter, type ServerLog } from './server-log.ts'
import type { Store } from './store/types.ts'

/** After so many missed reports an agent may be followed by one from another place. */
const SILENT_HEARTBEATS = 3
const PRESENCE_MS = 2000

export interface AgentsParts {
  readonly store: Store
  readonly log: ServerLog
  readonly heartbeatMs: number
  readonly callbacks: CallbackRunner
  /** What speaks against telling this agent its target now. */
  readonly against: (hello: Hello) => string | undefined
  /** Whether the host was told something by this server. */
  readonly isWelcome: (host: string) => boolean
  readonly isKnown: (host: string) => boolean
  readonly onReport: (report: Report) => void
  /** What logs ask for comes with any report, also one that is not kept: it would not be told again. */
  readonly onLogged: (report: Report) => void
}

/** What is known of agents: who speaks for which host, who is there, and what they said last. */
export interface Agents {
  readonly records: ReadonlyMap<string, HostRecord>
  readonly rivals: Rivals
  readonly handlers: Pick<HubHandlers, 'onHello' | 'onReport'>
  close(): void
  /** Writes what was reported and is not yet written. */
  flush(): Promise<void>
}

export async function createAgents(parts: AgentsParts): Promise<Agents> {
  const { store, log, callbacks } = parts
  const records = await rememberedHosts(store)
  const saver = createSaver(store, records, log)
  const presence = createPresence(records.keys(), performance.now())
  const rivals = createRivals({ patienceMs: parts.heartbeatMs * SILENT_HEARTBEATS, now: () => performance.now(), store, log })
  const greet = createGreeter(log)
  const attendance = setInterval(() => callbacks.say(presence.missing(performance.now())), PRESENCE_MS)
  attendance.unref()
  return {
    records,
    rivals,
    handlers: {
      onHello(hello) {
        const against = rivals.hear({ ...hello, hello: true }) ?? parts.against(hello)
        if (against !== undefined) return against
        greet(hello, parts.isKnown(hello.host))
        callbacks.say(presence.heard(hello.host, performance.now()))
        return undefined
      },
      async onReport(report, at) {
        const { host, epoch } = report
        const other = rivals.hear({ host, epoch, hello: false })
        if (other !== undefined) return other
        parts.onLogged(report)
        if (!parts.isWelcome(host)) throw new Error(`${host} reports before it was told anything here`)
        callbacks.say(presence.heard(host, performance.now()))
        records.set(host, withReport(records.get(host), report, VERSION, { at, heardAt: performance.now() }))
        saver.note(report)
        parts.onReport(report)
        return undefined
      },
    },
    close: () => clearInterval(attendance),
    flush: () => saver.flush(),
  }
}
