import { join } from 'node:path'
import PQueue from 'p-queue'
import type { Site } from '../kinds/kind.ts'
import type { PluginChoice } from '../kinds/site/check.ts'
import { SITE_KEY } from '../kinds/site/spec.ts'
import { sameJson } from '../lib/json.ts'
import type { Issue } from '../model/issue.ts'
import { type PluginSettings, settingsOf } from '../plugins/settings.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import type { Hello, Report } from '../wire/messages.ts'
import { type Base, loadBase } from './base.ts'
import { boot } from './boot.ts'
import { type Context, createContext, locatorFor, READER_VERSION, siteOf, VERSION } from './context.ts'
import { Controller, type Reading } from './controller.ts'
import { fleetInput, type HostRecord, rememberedHosts, withReport } from './fleet.ts'
import { vanishedFromHead } from './guard/guard.ts'
import { type Answer, type Hub, type HubHandlers, openHub } from './hub/hub.ts'
import { unknownHostMessage } from './hub/security.ts'
import { EMPTY_TREE } from './load/tree.ts'
import type { Plan } from './plan/types.ts'
import type { FleetInput } from './render/fleet.ts'
import { parsePool } from './repo/pool.ts'
import { readOnce } from './repo/read-once.ts'
import { type RepoState, type RepoWatch, watchRepo } from './repo/watch.ts'
import { createSaver } from './report-saver.ts'
import { createRivals } from './rivals.ts'
import { StoreError } from './store/error.ts'
import { openStore } from './store/open.ts'
import type { RevisionInfo, Store } from './store/types.ts'
import { createTakeOver, declaredHosts, TAKE_OVER_MS, type TakeOver } from './takeover.ts'

export type ServerLog = (level: 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void

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
/** Names are whatever strangers say. */
const MAX_STRANGERS = 1000
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
    onReady: () => void queue.add(reconsider),
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
  const watch: RepoWatch = watchRepo(
    options.dir,
    {
      source: (options.source ?? site.source) === 'commit' ? { from: 'commit', ref: 'HEAD' } : { from: 'worktree' },
      context: {
        loader: context.loader,
        cache: { get: (hashes) => store.cachedFiles(hashes), put: (files) => store.cacheFiles(files) },
        parseMany: parsePool(),
      },
      onProblem: (error) => log('error', 'the repository cannot be read; the last good state serves', { error: error.message }),
    },
    (state) => onState(state),
  )
  // A server that does not look at the repository any more must not look alive.
  watch.ended.catch((error: unknown) => options.onFault(error instanceof Error ? error : new Error(String(error))))

  const housekeeping = setInterval(
    () => void store.purge(Date.now()).catch((error: unknown) => log('warn', 'old rows could not be dropped', { error: String(error) })),
    PURGE_MS,
  )
  housekeeping.unref()

  async function onState(state: RepoState): Promise<void> {
    options.onEvent?.({ type: 'seen' })
    const reading = readingOf(options.dir, context, state)
    const before = controller.repo.state
    const wait = await queue.add(() => controller.consider(reading, 0))
    tellRepo(log, controller, before)
    options.onEvent?.({ type: 'repo', issues: controller.repo.issues, broken: controller.repo.state === 'broken' })
    if (wait !== undefined && wait > 0) void settleLater(reading, wait)
  }

  async function reconsider(): Promise<void> {
    const before = controller.repo.state
    await controller.reconsider()
    tellRepo(log, controller, before)
    options.onEvent?.({ type: 'repo', issues: controller.repo.issues, broken: controller.repo.state === 'broken' })
  }

  /** Deletions wait: a port that moves between two files is two saves. */
  async function settleLater(reading: Reading, wait: number): Promise<void> {
    if ((await watch.recheckAfter(wait)) === 'changed') return
    await queue.add(() => controller.consider({ ...reading, touched: new Set() }, wait))
  }

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
    rescan: () => watch.rescan(),
    ask: (host, question, timeoutMs): Promise<Answer> => hub.ask(host, question, timeoutMs),
    async close() {
      clearInterval(housekeeping)
      takeOver.close()
      await watch.close()
      await queue.onIdle()
      await hub.close()
      await saver.flush()
      await store.close()
    },
  }
}

/** Without a revision there are no targets yet, and what the repository declares is all that is known of hosts. */
function beforeFirst({ base, repo, tree }: Controller, takeOver: TakeOver): Pick<FleetInput, 'first'> {
  if (base.revision > 0 || repo.state === 'unread' || repo.state === 'broken') return {}
  return { first: { declared: declaredHosts(tree), ...takeOver.awaited(tree) } }
}

/** An agent whose host the repository does not name says hello for ever: that is told once, until the host is known. */
function createGreeter(log: ServerLog): (hello: Hello, known: boolean) => void {
  const strangers = new Set<string>()
  return ({ host, version, origin }, known) => {
    if (known) {
      strangers.delete(host)
      log('info', 'agent connected', { host, version })
    } else if (!strangers.has(host) && strangers.size < MAX_STRANGERS) {
      strangers.add(host)
      log('warn', unknownHostMessage(host), { host, version, ...(origin === undefined ? {} : { agent: origin.name }) })
    }
  }
}

/** Another process has the state file, or nobody has: whatever this one still said of the network would not be remembered. */
function isForGood(error: unknown): error is StoreError {
  return error instanceof StoreError && (error.code === 'locked' || error.code === 'replaced')
}

/** The plugins of the last revision, for a start while the site file cannot be read. */
async function formerSettings(stateFile: string): Promise<PluginSettings> {
  const store = await openStore(stateFile, { access: 'read', readerVersion: READER_VERSION }).catch(() => undefined)
  if (store === undefined) return settingsOf({})
  try {
    for await (const page of store.resources()) {
      const site = page.find((row) => row.declared.key === SITE_KEY)
      if (site !== undefined) return settingsOf(site.resource.spec as Partial<PluginChoice>)
    }
    return settingsOf({})
  } finally {
    await store.close()
  }
}

/** Endpoints and installation are needed before the first revision is there: then the repo's own site file is asked. */
async function startingSite(dir: string, context: Context, base: Base): Promise<Site> {
  if (base.revision > 0) return siteOf(base.world)
  const { tree } = await readOnce(dir, { from: 'worktree' }, { loader: context.loader, parseMany: parsePool() }).catch(() => ({
    tree: EMPTY_TREE,
  }))
  const declared = [...tree.declared.values()].filter((d) => d.kind === 'site')
  return siteOf(context.engine.step(base.world, { set: declared, del: [] }, { now: Date.now() }).world)
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

/** Sockets are bound once: a revision that names other endpoints takes effect at the next start. */
function warnOfEndpoints(log: ServerLog, bound: Site, now: Site): void {
  if (!sameJson(bound.endpoints, now.endpoints))
    log('warn', 'endpoints changed: they take effect when the server is started again', { ...now.endpoints })
}

function readingOf(dir: string, context: Context, state: RepoState): Reading {
  return {
    tree: state.tree,
    touched: state.touched,
    vanished: vanishedFromHead(state.git.vanished),
    locate: locatorFor(dir, context.kinds, state),
    ...(state.git.info === undefined ? {} : { git: state.git.info }),
  }
}

function tellRepo(log: ServerLog, controller: Controller, before: Controller['repo']['state']): void {
  const { repo } = controller
  if (repo.state === 'broken') {
    const first = repo.issues.find((i) => i.severity === 'error')
    log('warn', 'the repository has mistakes; the last good state serves', {
      errors: repo.issues.filter((i) => i.severity === 'error').length,
      first: first === undefined ? '' : `${first.place?.file ?? ''}:${first.place?.line ?? ''} ${first.code} ${first.message}`,
    })
  } else if (repo.state === 'blocked') {
    log('warn', 'a guard refuses the plan', {
      plan: repo.plan.id,
      guards: repo.plan.blocked.map((b) => b.message),
      override: repo.plan.blocked.map((b) => b.override),
    })
  } else if (before === 'broken' || before === 'blocked') {
    log('info', 'the repository is in order again')
  }
}

export function defaultStateFile(dir: string): string {
  return join(dir, '.netloom', 'state.db')
}

export function controlPath(stateFile: string): string {
  return join(stateFile, '..', 'server.sock')
}
