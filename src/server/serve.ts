import { join } from 'node:path'
import PQueue from 'p-queue'
import type { Site } from '../kinds/kind.ts'
import type { Issue } from '../model/issue.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import type { Report } from '../wire/messages.ts'
import { type Base, loadBase } from './base.ts'
import { beforeFirst, formerSettings, startingSite } from './before-revision.ts'
import { boot } from './boot.ts'
import { type Context, createContext, READER_VERSION, siteOf, VERSION } from './context.ts'
import { Controller } from './controller.ts'
import { fleetInput, type HostRecord, rememberedHosts, withReport } from './fleet.ts'
import { followRepo } from './follow.ts'
import { type Answer, type Hub, type HubHandlers, openHub } from './hub/hub.ts'
import type { Plan } from './plan/types.ts'
import type { FleetInput } from './render/fleet.ts'
import { createSaver } from './report-saver.ts'
import { createRivals } from './rivals.ts'
import { createGreeter, type ServerLog, warnOfEndpoints } from './server-log.ts'
import { StoreError } from './store/error.ts'
import { openStore } from './store/open.ts'
import type { RevisionInfo, Store } from './store/types.ts'
import { createTakeOver, TAKE_OVER_MS, type TakeOver } from './takeover.ts'

export interface ServeOptions {
  readonly dir: string
  readonly stateFile: string
  /** Overrides the site file's. */
  readonly endpoints?: Partial<Endpoints>
  readonly source?: 'worktree' | 'commit'
  readonly mode: 'auto' | 'manual'
  readonly insecureLab: boolean
  readonly heartbeatMs: number
  /** What agents hold counts for nothing: nothing runs yet, or it may be renumbered. */
  readonly fresh?: boolean
  /** How long the first revision waits for hosts to say what they hold; `TAKE_OVER_MS` if left out. */
  readonly takeOverMs?: number
  readonly log: ServerLog
  /** The server cannot go on: the process is to close it, end with this reason, and be started again. May be called more than once. */
  readonly onFault: (reason: Error) => void
  readonly onEvent?: (event: ServerEvent) => void
}

/** What happens, for progress and tests. */
export type ServerEvent =
  /** The repo came to rest in a new state; what follows is the server's own work. */
  | { readonly type: 'seen' }
  | { readonly type: 'repo'; readonly issues: readonly Issue[]; readonly broken: boolean }
  | { readonly type: 'revision'; readonly info: RevisionInfo; readonly plan: Plan; readonly hosts: readonly string[] }
  | { readonly type: 'report'; readonly report: Report }

export interface Server {
  readonly endpoints: Endpoints
  readonly controller: Controller
  readonly store: Store
  readonly hub: Hub
  readonly takeOver: TakeOver
  /** One thing that changes state at a time. */
  readonly queue: PQueue
  fleet(): FleetInput
  record(host: string): HostRecord | undefined
  rescan(): Promise<void>
  ask: Hub['ask']
  close(): Promise<void>
}

/** After so many missed reports an agent may be followed by one from another place. */
const SILENT_HEARTBEATS = 3
const PURGE_MS = 3600_000

/**
 * Watches the repo, plans, commits, publishes and keeps what agents report. Takes the lease on the state file; throws `StoreError` (`locked`) when another process has
 * it, `HubError` when the endpoints cannot be bound, `BootError` before either when the plugins do not fit together.
 */
export async function startServer(options: ServeOptions): Promise<Server> {
  const source = options.source === 'commit' ? ({ from: 'commit', ref: 'HEAD' } as const) : ({ from: 'worktree' } as const)
  const context = createContext(await boot(options.dir, source, () => formerSettings(options.stateFile)))
  const store = await openStore(options.stateFile, {
    access: 'write',
    readerVersion: READER_VERSION,
    onLeaseLost: (error) => {
      if (isForGood(error)) options.onFault(error)
      else options.log('error', 'the state file cannot be written; trying again', { error: String(error) })
    },
  })
  try {
    return await serveFrom(options, context, store)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function serveFrom(options: ServeOptions, context: Context, store: Store): Promise<Server> {
  const { log } = options
  const base = await loadBase(store, context.engine, Date.now())
  const records = await rememberedHosts(store)
  const saver = createSaver(store, records, log)
  const site = await startingSite(options.dir, context, base)
  const takeOver = createTakeOver({
    empty: base.revision === 0,
    fresh: options.fresh === true,
    waitMs: options.takeOverMs ?? TAKE_OVER_MS,
    known: records.keys(),
    store,
    log,
    onReady: () => void queue.add(() => follower.reconsider()),
  })
  const rivals = createRivals({ patienceMs: options.heartbeatMs * SILENT_HEARTBEATS, now: () => performance.now(), store, log })
  const hub = await openHubFor(options, site, {
    onHello: (hello) => {
      const other = rivals.hear({ ...hello, hello: true })
      if (other !== undefined) return other
      const against = takeOver.greet(hello, controller.base.world)
      if (against === undefined) tellHello(hello, hub.targets().has(hello.host))
      return against
    },
    onReport: async (report, at) => {
      const other = rivals.hear({ host: report.host, epoch: report.epoch, hello: false })
      if (other !== undefined) return other
      if (!takeOver.isWelcome(report.host)) throw new Error(`${report.host} reports before it was told anything here`)
      records.set(report.host, withReport(records.get(report.host), report, VERSION, { at, heardAt: performance.now() }))
      saver.note(report)
      options.onEvent?.({ type: 'report', report })
      return undefined
    },
  })
  const tellHello = createGreeter(log)
  hub.restore(base.revision, base.world, records.keys())
  const queue = new PQueue({ concurrency: 1 })
  const controller = new Controller({
    engine: context.engine,
    kinds: context.kinds,
    store,
    hub,
    takeOver,
    base,
    siteOf: (b: Base) => siteOf(b.world),
    mode: options.mode,
    now: Date.now,
    log,
    onRevision: (info, plan, hosts) => {
      log('info', 'revision committed and published', { revision: info.revision, plan: plan.id, ...plan.summary, hosts: hosts.length })
      warnOfEndpoints(log, site, siteOf(controller.base.world))
      options.onEvent?.({ type: 'revision', info, plan, hosts })
    },
  })
  const follower = followRepo({ options, context, store, site, controller, queue })

  const stopPurging = purgeHourly(store, log)

  return {
    endpoints: hub.endpoints,
    controller,
    store,
    hub,
    takeOver,
    queue,
    fleet: () => ({
      ...fleetInput(controller.base.revision, hub.targets(), records, Date.now(), performance.now()),
      withheld: Object.fromEntries(takeOver.withheld),
      contested: Object.fromEntries(rivals.contested()),
      ...beforeFirst(controller, takeOver),
    }),
    record: (host) => records.get(host),
    rescan: () => follower.rescan(),
    ask: (host, question, timeoutMs): Promise<Answer> => hub.ask(host, question, timeoutMs),
    async close() {
      stopPurging()
      takeOver.close()
      await follower.close()
      await queue.onIdle()
      await hub.close()
      await saver.flush()
      await store.close()
    },
  }
}

function purgeHourly(store: Store, log: ServerLog): () => void {
  const purge = (): Promise<void> =>
    store.purge(Date.now()).catch((error: unknown) => log('warn', 'old rows could not be dropped', { error: String(error) }))
  const timer = setInterval(() => void purge(), PURGE_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** Another process has the state file, or nobody has: whatever this one still said of the network would not be remembered. */
function isForGood(error: unknown): error is StoreError {
  return error instanceof StoreError && (error.code === 'locked' || error.code === 'replaced')
}

function openHubFor(options: ServeOptions, site: Site, handlers: Pick<HubHandlers, 'onHello' | 'onReport'>): Promise<Hub> {
  return openHub(
    {
      endpoints: { ...site.endpoints, ...options.endpoints },
      installation: site.installation,
      heartbeatMs: options.heartbeatMs,
      security: { mode: options.insecureLab ? 'insecure-lab' : 'local-only' },
    },
    {
      ...handlers,
      onFault: options.onFault,
      warn: (message) => options.log('warn', message),
    },
  )
}

export function defaultStateFile(dir: string): string {
  return join(dir, '.netloom', 'state.db')
}

export function controlPath(stateFile: string): string {
  return join(stateFile, '..', 'server.sock')
}
