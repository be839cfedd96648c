import type PQueue from 'p-queue'
import type { Site } from '../kinds/kind.ts'
import { type Context, locatorFor } from './context.ts'
import type { Controller, Reading } from './controller.ts'
import { vanishedFromHead } from './guard/guard.ts'
import { parsePool } from './repo/pool.ts'
import { type RepoState, type RepoWatch, watchRepo } from './repo/watch.ts'
import type { ServeOptions } from './serve.ts'
import { tellRepo } from './server-log.ts'
import type { Store } from './store/types.ts'

/** Hands each state in which the repository comes to rest to the controller. */
export interface Follower {
  rescan(): Promise<void>
  /** Considers the last state again: something that spoke against it has changed. To be called inside of the queue. */
  reconsider(): Promise<void>
  close(): Promise<void>
}

export interface FollowerParts {
  readonly options: Pick<ServeOptions, 'dir' | 'source' | 'log' | 'onEvent' | 'onFault'>
  readonly context: Context
  readonly store: Store
  readonly site: Site
  readonly controller: Controller
  readonly queue: PQueue
}

export function followRepo({ options, context, store, site, controller, queue }: FollowerParts): Follower {
  const { log } = options
  const watch: RepoWatch = watchRepo(
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
  // A server that does not look at the repository any more must not look alive.
  watch.ended.catch((error: unknown) => options.onFault(error instanceof Error ? error : new Error(String(error))))

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

  return { rescan: () => watch.rescan(), reconsider, close: () => watch.close() }
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
