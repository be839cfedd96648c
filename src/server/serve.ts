import { join } from 'node:path'
import PQueue from 'p-queue'
import type { Site } from '../kinds/kind.ts'
import type { PluginChoice } from '../kinds/site/check.ts'
import { SITE_KEY } from '../kinds/site/spec.ts'
import type { Issue } from '../model/issue.ts'
import { type PluginSettings, settingsOf } from '../plugins/settings.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import type { KeyPair } from '../wire/keys.ts'
import type { Report } from '../wire/messages.ts'
import { keysOfHosts, keysOfLeft, openAdmission } from './admission.ts'
import { type Base, loadBase } from './base.ts'
import { boot } from './boot.ts'
import { CallbackRunner } from './callbacks/runner.ts'
import { type Context, createContext, locatorFor, READER_VERSION, siteOf, VERSION } from './context.ts'
import { Controller, type Reading } from './controller.ts'
import type { World } from './engine/types.ts'
import { fleetInput, type HostRecord, rememberedHosts, withReport } from './fleet.ts'
import { vanishedFromHead } from './guard/guard.ts'
import type { Answer, Hub } from './hub/hub.ts'
import { EMPTY_TREE } from './load/tree.ts'
import type { Plan } from './plan/types.ts'
import { createPresence } from './presence.ts'
import type { FleetInput } from './render/fleet.ts'
import { parsePool } from './repo/pool.ts'
import { readOnce } from './repo/read-once.ts'
import { type RepoState, type RepoWatch, watchRepo } from './repo/watch.ts'
import { createSaver } from './report-saver.ts'
import { openHubFor, warnOfRestart } from './serve-hub.ts'
import { openStore } from './store/open.ts'
import type { RevisionInfo, Store } from './store/types.ts'
import { createTakeOver, TAKE_OVER_MS, type TakeOver } from './takeover.ts'

export type ServerLog = (level: 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void

export interface ServeOptions {
  readonly dir: string
  readonly stateFile: string
  /** Overrides the site file's. */
  readonly endpoints?: Partial<Endpoints>
  readonly source?: 'worktree' | 'commit'
  readonly mode: 'auto' | 'manual'
  readonly insecureLab: boolean
  /** The server's own; with it only hosts whose key is known are let in. */
  readonly keys?: KeyPair
  /** A file of host keys beside those of the repo. */
  readonly hostKeys?: string
  readonly heartbeatMs: number
  /** What agents hold counts for nothing: nothing runs yet, or it may be renumbered. */
  readonly fresh?: boolean
  /** How long the first revision waits for hosts to say what they hold; `TAKE_OVER_MS` if left out. */
  readonly takeOverMs?: number
  readonly log: ServerLog
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
  /** Host → public key of those let in; undefined without keys. */
  readonly keys: (() => ReadonlyMap<string, string>) | undefined
  readonly takeOver: TakeOver
  readonly callbacks: CallbackRunner
  /** One thing that changes state at a time. */
  readonly queue: PQueue
  fleet(): FleetInput
  record(host: string): HostRecord | undefined
  rescan(): Promise<void>
  ask: Hub['ask']
  close(): Promise<void>
}

const PURGE_MS = 3600_000
const PRESENCE_MS = 2000

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
    onLeaseLost: (error) =>
      options.log('error', 'the lease on the state file was lost; no further revision is committed', { error: String(error) }),
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
  const base = await loadBase(store, context, options.dir, Date.now())
  for (const { code, message } of context.directory.warnings) log('warn', message, { code })
  const records = await rememberedHosts(store)
  const saver = createSaver(store, records, log)
  const site = await startingSite(options.dir, context, base)
  let current = base.revision
  const callbacks = new CallbackRunner({ subscriptions: context.directory.subscriptions, store, revision: () => current, log })
  const presence = createPresence(records.keys(), performance.now())
  const takeOver = createTakeOver({
    empty: base.revision === 0,
    fresh: options.fresh === true,
    waitMs: options.takeOverMs ?? TAKE_OVER_MS,
    known: records.keys(),
    store,
    log,
    onReady: () => void queue.add(reconsider),
  })
  const hub = await openHubFor(options, site, {
    onHello: (hello) => {
      const against = takeOver.greet(hello, controller.base.world)
      if (against !== undefined) return against
      log('info', 'agent connected', { host: hello.host, version: hello.version })
      callbacks.say(presence.heard(hello.host, performance.now()))
      return undefined
    },
    onReport: async (report, at) => {
      if (!takeOver.isWelcome(report.host)) throw new Error(`${report.host} reports before it was told anything here`)
      callbacks.say(presence.heard(report.host, performance.now()))
      records.set(report.host, withReport(records.get(report.host), report, VERSION, { at, heardAt: performance.now() }))
      saver.note(report)
      options.onEvent?.({ type: 'report', report })
    },
  })
  const present = keysOfHosts(base.world.resources.values())
  const admission = openAdmission({
    left: await keysOfLeft(store, records.keys(), present),
    onKeys: (keys) => hub.setKeys(keys),
    onBad: (message) => log('warn', message),
    ...(options.hostKeys === undefined ? {} : { file: options.hostKeys }),
  })
  const publisher = {
    // Keys first: whoever is expelled by this revision hears nothing of it.
    publish(revision: number, world: World): readonly string[] {
      admission.settle(keysOfHosts(world.resources.values()))
      return hub.publish(revision, world)
    },
  }
  admission.settle(present)
  hub.restore(base.revision, base.world, records.keys())
  const queue = new PQueue({ concurrency: 1 })
  const controller = new Controller({
    engine: context.engine,
    kinds: context.kinds,
    registry: context.directory.registry,
    running: context.directory.running,
    subscriptions: context.directory.subscriptions,
    store,
    hub: publisher,
    takeOver,
    base,
    siteOf: (b: Base) => siteOf(b.world),
    mode: options.mode,
    now: Date.now,
    log,
    onRevision: (info, plan, hosts) => {
      log('info', 'revision committed and published', { revision: info.revision, plan: plan.id, ...plan.summary, hosts: hosts.length })
      warnOfRestart(log, site, siteOf(controller.base.world))
      current = info.revision
      callbacks.wake()
      options.onEvent?.({ type: 'revision', info, plan, hosts })
    },
    onAbort: (plan) => callbacks.abort(plan.changes),
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
  watch.ended.catch((error: unknown) => log('error', 'watching ended', { error: String(error) }))

  const housekeeping = setInterval(
    () => void store.purge(Date.now()).catch((error: unknown) => log('warn', 'old rows could not be dropped', { error: String(error) })),
    PURGE_MS,
  )
  housekeeping.unref()
  const attendance = setInterval(() => callbacks.say(presence.missing(performance.now())), PRESENCE_MS)
  attendance.unref()
  await callbacks.start()

  async function onState(state: RepoState): Promise<void> {
    options.onEvent?.({ type: 'seen' })
    const reading = readingOf(options.dir, context, state)
    const before = controller.repo.state
    // Before the first revision the repo alone says whose agents may tell what they hold.
    if (controller.base.revision === 0) admission.settle(keysOfHosts(reading.tree.declared.values()))
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
    keys: options.keys === undefined ? undefined : () => admission.current(),
    takeOver,
    callbacks,
    queue,
    fleet: () => ({
      ...fleetInput(controller.base.revision, hub.targets(), records, Date.now(), performance.now()),
      withheld: Object.fromEntries(takeOver.withheld),
    }),
    record: (host) => records.get(host),
    rescan: () => watch.rescan(),
    ask: (host, question, timeoutMs): Promise<Answer> => hub.ask(host, question, timeoutMs),
    async close() {
      clearInterval(housekeeping)
      admission.close()
      takeOver.close()
      clearInterval(attendance)
      await watch.close()
      await queue.onIdle()
      await callbacks.close()
      await hub.close()
      await saver.flush()
      await store.close()
    },
  }
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
