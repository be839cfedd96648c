import { join } from 'node:path'
import PQueue from 'p-queue'
import type { Issue } from '../model/issue.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import type { KeyPair } from '../wire/keys.ts'
import type { Report } from '../wire/messages.ts'
import { keysOfHosts, keysOfLeft, openAdmission } from './admission.ts'
import { type Agents, createAgents } from './agents.ts'
import { type Base, loadBase } from './base.ts'
import { beforeFirst, formerSettings, startingSite } from './before-revision.ts'
import { boot } from './boot.ts'
import { CallbackRunner } from './callbacks/runner.ts'
import { type Context, createContext, READER_VERSION, siteOf } from './context.ts'
import { Controller } from './controller.ts'
import { resourcesOf } from './engine/counts.ts'
import type { World } from './engine/types.ts'
import { fleetInput, type HostRecord } from './fleet.ts'
import { followRepo } from './follow.ts'
import type { Answer, Hub } from './hub/hub.ts'
import type { Plan } from './plan/types.ts'
import type { FleetInput } from './render/fleet.ts'
import type { WatchStatus } from './repo/watch.ts'
import { createRuleOrigins } from './rule-origins.ts'
import { openSecurityLog } from './security-log.ts'
import { openHubFor } from './serve-hub.ts'
import { commitText, createKeylessWarner, type ServerLog, warnOfRestart } from './server-log.ts'
import { StoreError } from './store/error.ts'
import { forgotten } from './store/held.ts'
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
  /** Host → public key of those let in; undefined without keys. */
  readonly keys: (() => ReadonlyMap<string, string>) | undefined
  readonly takeOver: TakeOver
  readonly callbacks: CallbackRunner
  /** One thing that changes state at a time. */
  readonly queue: PQueue
  fleet(): FleetInput
  record(host: string): HostRecord | undefined
  rescan(): Promise<void>
  /** Whether the repository is followed, and why not. */
  watching(): WatchStatus
  ask: Hub['ask']
  close(): Promise<void>
}

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
  const base = await loadBase(store, context, options.dir, Date.now())
  for (const { code, message } of context.directory.warnings) log('warn', message, { code })
  const lost = forgotten(options.stateFile, base.revision)
  if (lost !== undefined) log('warn', lost.message, { code: lost.code, fix: lost.hint })
  const site = await startingSite(options.dir, context, base)
  const queue = new PQueue({ concurrency: 1 })
  const { subscriptions } = context.directory
  let current = base.revision
  const callbacks = new CallbackRunner({ subscriptions, store, revision: () => current, log })
  // Before anybody can report.
  const securityLog = openSecurityLog({
    stateFile: options.stateFile,
    log,
    origin: createRuleOrigins({ store, controller: () => controller }),
  })
  const agents = await createAgents({
    store,
    log,
    heartbeatMs: options.heartbeatMs,
    callbacks,
    against: (hello) => takeOver.greet(hello, controller.base.world),
    isWelcome: (host) => takeOver.isWelcome(host),
    isKnown: (host) => hub.targets().has(host),
    onReport: (report) => options.onEvent?.({ type: 'report', report }),
    onLogged: (report) => securityLog.take(report),
  })
  const takeOver = createTakeOver({
    empty: base.revision === 0,
    fresh: options.fresh === true,
    waitMs: options.takeOverMs ?? TAKE_OVER_MS,
    known: agents.records.keys(),
    store,
    log,
    onReady: () => void queue.add(() => follower.reconsider()),
  })
  const hub = await openHubFor(options, site, agents.handlers)
  const admission = await admissionFor(options, { store, agents, base, hub })
  const { scopes, needs } = base.world
  const git = base.revision === 0 ? undefined : (await store.currentRevision())?.git
  hub.restore(base.revision, { scopes, needs, ...commitText(git) }, agents.records.keys())
  const controller = new Controller({
    engine: context.engine,
    kinds: context.kinds,
    registry: context.directory.registry,
    running: context.directory.running,
    subscriptions,
    store,
    hub: {
      // Keys first: whoever is expelled by this revision hears nothing of it.
      publish({ revision, git }: Pick<RevisionInfo, 'revision' | 'git'>, world: World): readonly string[] {
        const { scopes, needs } = world
        admission.settle(keysOfHosts(resourcesOf(world, 'host')))
        return hub.publish(revision, { scopes, needs, ...commitText(git) })
      },
    },
    takeOver,
    base,
    siteOf: (b: Base) => siteOf(b.world),
    mode: options.mode,
    now: Date.now,
    log,
    onRevision: (info, plan, hosts) => {
      const of = { revision: info.revision, ...commitText(info.git), plan: plan.id }
      log('info', 'revision committed and published', { ...of, ...plan.summary, hosts: hosts.length })
      warnOfRestart(log, site, siteOf(controller.base.world))
      current = info.revision
      callbacks.wake()
      options.onEvent?.({ type: 'revision', info, plan, hosts })
    },
    onAbort: (plan) => callbacks.abort(plan.changes),
  })
  const follower = followRepo({
    options,
    context,
    store,
    site,
    controller,
    queue,
    onReading(reading) {
      // Before the first revision the repo alone says whose agents may tell what they hold.
      if (controller.base.revision === 0) admission.settle(keysOfHosts(reading.tree.declared.values()))
    },
  })
  const stopPurging = purgeHourly(store, log)
  await callbacks.start()

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
      ...fleetInput(controller.base.revision, hub.targets(), agents.records, Date.now(), performance.now()),
      withheld: Object.fromEntries(takeOver.withheld),
      contested: Object.fromEntries(agents.rivals.contested()),
      ...beforeFirst(controller, takeOver),
    }),
    record: (host) => agents.records.get(host),
    rescan: () => follower.rescan(),
    watching: () => follower.status(),
    ask: (host, question, timeoutMs): Promise<Answer> => hub.ask(host, question, timeoutMs),
    async close() {
      stopPurging()
      admission.close()
      takeOver.close()
      agents.close()
      await follower.close()
      await queue.onIdle()
      await callbacks.close()
      await hub.close()
      await agents.flush()
      await securityLog.close()
      await store.close()
    },
  }
}

/** Whose agents are let in: the hosts of the current revision, and those that left and still hold something. */
async function admissionFor(
  options: ServeOptions,
  { store, agents, base, hub }: { readonly store: Store; readonly agents: Agents; readonly base: Base; readonly hub: Hub },
): Promise<ReturnType<typeof openAdmission>> {
  const present = keysOfHosts(base.world.resources.values())
  const warn = createKeylessWarner(options.log, options.keys !== undefined)
  const admission = openAdmission({
    left: await keysOfLeft(store, agents.records.keys(), present),
    onKeys: (keys) => {
      hub.setKeys(keys)
      warn(keys)
    },
    onBad: (message) => options.log('warn', message),
    ...(options.hostKeys === undefined ? {} : { file: options.hostKeys }),
  })
  admission.settle(present)
  return admission
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

export function defaultStateFile(dir: string): string {
  return join(dir, '.netloom', 'state.db')
}

/** Named after the state file: two of them in one folder are two servers. */
export function controlPath(stateFile: string): string {
  return `${stateFile}.sock`
}
