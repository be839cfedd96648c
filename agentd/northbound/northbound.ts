import { randomUUID } from 'node:crypto'
import type { Backoff } from '../../src/lib/backoff.ts'
import type { JsonObject } from '../../src/model/brand.ts'
import type { LogEntry } from '../../src/model/log-entry.ts'
import type { Dataplane } from '../../src/model/status.ts'
import type { Ask, Origin, Question, Speaks } from '../../src/wire/messages.ts'
import { SPEAKS } from '../../src/wire/versions.ts'
import type { Log } from '../log.ts'
import { type Feed, type FeedStatus, openFeed } from './feed.ts'
import type { TargetSet } from './feed-core.ts'
import { createIdentity, type HostKeys } from './identity.ts'
import { createLogOutbox } from './log-outbox.ts'
import { type AskAnswer, openReporter, type Reporter } from './report.ts'
import type { Snapshot } from './report-core.ts'
import type { SavedSet, StateFile } from './statefile.ts'

export interface NorthboundOptions {
  readonly host: string
  readonly server: string
  readonly version: string
  /** Absent: a server on this machine that has no keys either. */
  readonly keys?: HostKeys | undefined
  /** Where this agent runs, as far as that can be told. */
  readonly origin?: Origin | undefined
  /** From `stateFile.load()`; the set is offered at once, with or without a server. */
  readonly saved: SavedSet | undefined
  readonly stateFile: Pick<StateFile, 'saveSet'>
  readonly log: Log
  /** A complete set at exactly one target. */
  readonly onTarget: (target: TargetSet) => void
  /** Whether the switch answers; undefined: not asked yet. */
  readonly dataplane?: () => Dataplane | undefined
  /** Answers a question of the server. A rejection is reported as a failed answer with its message. */
  readonly answer: (question: Question) => Promise<JsonObject>
  readonly timing?: Partial<NorthboundTiming>
  /** Wire versions to speak; all that this release can if left out. */
  readonly speaks?: Speaks
}

export interface NorthboundTiming {
  readonly requestMs: number
  readonly backoff: Backoff
}

/** The outcome of a run of converge, as far as the server is to know of it. */
export type Outcome = Pick<Snapshot, 'revision' | 'converged' | 'statuses' | 'drift' | 'facts' | 'allocations' | 'timings'>

export interface Northbound {
  /** After every run of converge: reported at once. */
  converged(outcome: Outcome): void
  /** Something else changed that is reported: told at once. */
  changed(): void
  /** Told soon, together with what comes meanwhile. */
  logged(entry: LogEntry): void
  status(): FeedStatus
  close(): Promise<void>
}

const TIMING: NorthboundTiming = { requestMs: 5000, backoff: { first: 200, max: 10_000, factor: 2, jitter: 0.5 } }
const NOTHING_YET: Outcome = { revision: 0, converged: false, statuses: new Map(), drift: [], facts: {}, allocations: {}, timings: {} }
/** Questions remembered, because each may come twice. */
const ASKS_KEPT = 256
/** How long a logged packet waits for others. */
const GATHER_MS = 300

/** Everything between the server and converge: feed, reports, answers, and the set kept on disk. */
export function openNorthbound(options: NorthboundOptions): Northbound {
  const timing = { ...TIMING, ...options.timing }
  const { speaks = SPEAKS } = options
  const epoch = randomUUID()
  const identity = options.keys === undefined ? undefined : createIdentity(options.host, options.keys, Date.now)
  const asked = new Map<string, true>()
  const outbox = createLogOutbox()
  let gathering: NodeJS.Timeout | undefined
  let outcome = NOTHING_YET
  let offered: TargetSet | undefined
  const saver = createSaver(options)

  const reporter: Reporter = openReporter({
    host: options.host,
    epoch,
    identity,
    speaks,
    requestMs: timing.requestMs,
    backoff: timing.backoff,
    random: Math.random,
    log: options.log,
    snapshot,
    logged: outbox,
    onReply: (reply) => feed.onReportReply(reply),
    onRefused: () => feed.onReportRefused(),
    onAsk,
  })
  const feed: Feed = openFeed({
    host: options.host,
    server: options.server,
    version: options.version,
    origin: options.origin,
    epoch,
    identity,
    speaks,
    saved: options.saved,
    requestMs: timing.requestMs,
    backoff: timing.backoff,
    random: Math.random,
    now: Date.now,
    log: options.log,
    onTarget(target) {
      // An empty set that the server confirms is on disk already; the one before it, which tells whose things are on the switch, must stay there.
      if (target.source === 'server' && target.digest !== offered?.digest) saver.save(target)
      offered = target
      options.onTarget(target)
    },
    onAsk,
    onServer: (server) => reporter.connect(server),
  })

  /** What is held is the last complete set; a revision that changed nothing here is reached by knowing of it. */
  function snapshot(): Snapshot {
    const status = feed.status()
    const current = status.digest === offered?.digest
    const dataplane = options.dataplane?.()
    return {
      ...outcome,
      ...(dataplane === undefined ? {} : { dataplane }),
      revision: current ? status.revision : (offered?.revision ?? 0),
      digest: offered?.digest ?? '0'.repeat(32),
      converged: outcome.converged && outcome.revision === offered?.revision,
    }
  }

  function onAsk(ask: Ask): void {
    if (asked.has(ask.id)) return
    asked.set(ask.id, true)
    for (const id of asked.keys()) if (asked.size > ASKS_KEPT) asked.delete(id)
    options.answer(ask.question).then(
      (data) => reporter.answer({ id: ask.id, ok: true, data }),
      (error: unknown) => reporter.answer({ id: ask.id, ok: false, data: { message: String(error) } } satisfies AskAnswer),
    )
  }

  return {
    converged(next) {
      outcome = next
      reporter.now()
    },
    changed: () => reporter.now(),
    logged(entry) {
      outbox.add(entry)
      gathering ??= setTimeout(() => {
        gathering = undefined
        reporter.now()
      }, GATHER_MS)
    },
    status: () => feed.status(),
    async close() {
      clearTimeout(gathering)
      await Promise.all([feed.close(), reporter.close()])
      await saver.idle()
    },
  }
}

/** Writes the newest set, one write at a time; sets that came and went during a write are never on disk. */
function createSaver(options: Pick<NorthboundOptions, 'stateFile' | 'log'>): { save(set: SavedSet): void; idle(): Promise<void> } {
  let next: SavedSet | undefined
  let running: Promise<void> | undefined
  const loop = async (): Promise<void> => {
    for (let set = next; set !== undefined; set = next) {
      next = undefined
      await options.stateFile.saveSet(set).catch((error: unknown) => {
        options.log('error', 'the set could not be saved; a restart without the server would start from an older one', {
          error: String(error),
        })
      })
    }
  }
  return {
    save(set) {
      next = set
      running ??= loop().finally(() => {
        running = undefined
      })
    },
    async idle() {
      await running
    },
  }
}
