import type PQueue from 'p-queue'
import type { Site } from '../kinds/kind.ts'
import { type Context, locatorFor } from './context.ts'
import type { Controller, Reading } from './controller.ts'
import { vanishedFromHead } from './guard/guard.ts'
import { parsePool } from './repo/pool.ts'
import { type RepoState, type RepoWatch, type WatchStatus, watchRepo } from './repo/watch.ts'
import type { ServeOptions } from './serve.ts'
import { type ServerLog, tellRepo } from './server-log.ts'
import { StoreError, type StoreErrorCode } from './store/error.ts'
import type { Store } from './store/types.ts'
import { createWaitTeller } from './waiting.ts'

/** Failures of the state file that may be over by themselves, or by an operator who makes room. */
const PASSING: ReadonlySet<StoreErrorCode> = new Set(['busy', 'full', 'io'])
const RETRY_MS = 3_000
const LOOKOUT_MS = 500

/** Hands each state in which the repository comes to rest to the controller. */
export interface Follower {
  rescan(): Promise<void>
  /** Considers the last state again: something that spoke against it has changed. To be called inside of the queue. */
  reconsider(): Promise<void>
  /** Whether the repository is followed, and why not. */
  status(): WatchStatus
  close(): Promise<void>
}

export interface FollowerParts {
  readonly options: Pick<ServeOptions, 'dir' | 'source' | 'log' | 'onEvent' | 'onFault'>
  readonly context: Context
  readonly store: Store
  readonly site: Site
  readonly controller: Controller
  readonly queue: PQueue
  /** What was read, before it is considered. */
  readonly onReading: (reading: Reading) => void
}

export function followRepo(parts: FollowerParts): Follower {
  const { options, controller, queue } = parts
  const { log } = options
  const watch = watchOf(parts, onState)
  // A server that does not look at the repository any more must not look alive.
  watch.ended.catch((error: unknown) => options.onFault(error instanceof Error ? error : new Error(String(error))))
  const waits = createWaitTeller(log)
  const lookout = setInterval(() => waits(watch.status(), performance.now()), LOOKOUT_MS)
  lookout.unref()

  async function onState(state: RepoState): Promise<void> {
    options.onEvent?.({ type: 'seen' })
    const reading = readingOf(options.dir, parts.context, state)
    parts.onReading(reading)
    await judged(() => queue.add(() => unlessDisk(log, () => controller.consider(reading))))
  }

  async function reconsider(): Promise<void> {
    await judged(() => unlessDisk(log, () => controller.reconsider()))
  }

  /** Says what became of the repository; looks again later where `work` says so: a port that moves between two files is two saves. */
  async function judged(work: () => Promise<number>): Promise<void> {
    const before = controller.repo.state
    const wait = await work()
    tellRepo(log, controller, before)
    options.onEvent?.({ type: 'repo', issues: controller.repo.issues, broken: controller.repo.state === 'broken' })
    if (wait > 0) void watch.recheckAfter(wait).then((seen) => (seen === 'same' ? queue.add(reconsider) : undefined))
  }

  return {
    rescan: () => watch.rescan(),
    reconsider,
    status: () => watch.status(),
    async close() {
      clearInterval(lookout)
      await watch.close()
    },
  }
}

function watchOf({ options, context, store, site }: FollowerParts, onState: (state: RepoState) => Promise<void>): RepoWatch {
  return watchRepo(
    options.dir,
    {
      source: (options.source ?? site.source) === 'commit' ? { from: 'commit', ref: 'HEAD' } : { from: 'worktree' },
      context: {
        loader: context.loader,
        cache: { get: (hashes) => store.cachedFiles(hashes), put: (files) => store.cacheFiles(files) },
        parseMany: parsePool(),
      },
      onProblem: (error) => options.log('error', 'the repository cannot be read; the last good state serves', { error: error.message }),
    },
    onState,
  )
}

/** A full disk is no reason to stop looking: the last revision serves, and the same is tried again. Returns when, as `consider` does. */
async function unlessDisk(log: ServerLog, work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof StoreError) || !PASSING.has(error.code)) throw error
    log('error', 'the state file cannot be written; the last revision serves, and it is tried again', {
      error: error.message,
      in_ms: RETRY_MS,
    })
    return RETRY_MS
  }
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
