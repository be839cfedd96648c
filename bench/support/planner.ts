import { join } from 'node:path'
import type { Place } from '../../src/model/issue.ts'
import type { Key } from '../../src/model/key.ts'
import { type Base, loadBase } from '../../src/server/base.ts'
import { type Context, createContext, locatorFor, READER_VERSION, siteOf } from '../../src/server/context.ts'
import type { Engine } from '../../src/server/engine/types.ts'
import { type Tree, withFiles } from '../../src/server/load/tree.ts'
import { type Proposal, propose } from '../../src/server/proposal.ts'
import type { ReadContext } from '../../src/server/repo/load-files.ts'
import { readOnce } from '../../src/server/repo/read-once.ts'
import { readWorktree } from '../../src/server/repo/read-worktree.ts'
import { diffSnapshots, type Snapshot } from '../../src/server/repo/snapshot.ts'
import { openStore } from '../../src/server/store/open.ts'
import type { Store } from '../../src/server/store/types.ts'
import type { Stopwatch } from './stopwatch.ts'

/** The server's path from files to a committed revision, without its sockets and its watcher. */
export interface Planner {
  /** Changes of the last plan. */
  readonly changes: number
  /** Reads what changed since the last reading. */
  read(): Promise<ReadonlySet<Key>>
  propose(touched: ReadonlySet<Key> | undefined): void
  commit(): Promise<void>
  close(): Promise<void>
}

/** Opens state and repo below `dir` and plans once; laps `open`, `read`, `step`, `plan`. */
export async function openPlanner(dir: string, watch: Stopwatch): Promise<Planner> {
  const context = createContext()
  const store = await openStore(join(dir, 'state', 'state.db'), { access: 'write', readerVersion: READER_VERSION })
  const base = await loadBase(store, context, dir, Date.now())
  watch.lap('open')
  const reading: ReadContext = {
    loader: context.loader,
    cache: { get: (hashes) => store.cachedFiles(hashes), put: (files) => store.cacheFiles(files) },
  }
  const root = join(dir, 'repo')
  const { tree, snapshot } = await readOnce(root, { from: 'worktree' }, reading)
  watch.lap('read')
  const planner = new OpenPlanner({ context, store, reading, root, engine: timed(context.engine, watch) }, base, tree, snapshot)
  planner.propose(undefined)
  watch.lap('plan')
  return planner
}

/** What `step` takes is lapped as `step`; what comes before it (finding what differs) as `plan`. */
function timed(engine: Engine, watch: Stopwatch): Engine {
  return {
    ...engine,
    step: (base, ops, options) => {
      watch.lap('plan')
      const step = engine.step(base, ops, options)
      watch.lap('step')
      return step
    },
  }
}

interface Parts {
  readonly context: Context
  readonly store: Store
  readonly reading: ReadContext
  readonly root: string
  readonly engine: Engine
}

class OpenPlanner implements Planner {
  readonly #parts: Parts
  #base: Base
  #tree: Tree
  #snapshot: Snapshot
  #ready: Proposal['ready']

  constructor(parts: Parts, base: Base, tree: Tree, snapshot: Snapshot) {
    this.#parts = parts
    this.#base = base
    this.#tree = tree
    this.#snapshot = snapshot
  }

  get changes(): number {
    return this.#ready?.plan.changes.length ?? 0
  }

  async read(): Promise<ReadonlySet<Key>> {
    const { root, reading } = this.#parts
    const { snapshot } = await readWorktree(root, reading, this.#snapshot)
    const { changed, removed } = diffSnapshots(this.#snapshot, snapshot)
    const next = withFiles(
      this.#tree,
      changed.map((file) => file.loaded),
      removed,
    )
    this.#snapshot = snapshot
    this.#tree = next.tree
    return next.touched
  }

  propose(touched: ReadonlySet<Key> | undefined): void {
    const { context, root, engine } = this.#parts
    const proposal = propose({
      engine,
      kinds: context.kinds,
      registry: context.directory.registry,
      running: context.directory.running,
      subscriptions: context.directory.subscriptions,
      base: this.#base,
      tree: this.#tree,
      locate: locatorFor(root, context.kinds, { tree: this.#tree, snapshot: this.#snapshot }),
      formerPlace: () => undefined,
      guards: siteOf(this.#base.world).guards,
      vanished: [],
      now: Date.now(),
      ...(touched === undefined ? {} : { touched }),
    })
    if (proposal.ready === undefined) throw new Error(`the repo has mistakes: ${JSON.stringify(proposal.issues[0])}`)
    this.#ready = proposal.ready
  }

  async commit(): Promise<void> {
    if (this.#ready === undefined) throw new Error('nothing is proposed')
    const { plan, step } = this.#ready
    const places = new Map<Key, Place>()
    for (const { key } of plan.changes) {
      const place = this.#tree.places.get(key)
      if (place !== undefined) places.set(key, place)
    }
    const info = await this.#parts.store.commit(plan, { places, now: Date.now() })
    this.#base = { revision: info.revision, world: step.world }
  }

  async close(): Promise<void> {
    await this.#parts.store.close()
  }
}

/** Changes the repo `times` times by `change` and carries each to a commit; milliseconds by stage. */
export async function changeLines(
  planner: Planner,
  times: number,
  change: (n: number) => void,
): Promise<Readonly<Record<'read' | 'plan' | 'commit' | 'all', readonly number[]>>> {
  const samples = { read: [] as number[], plan: [] as number[], commit: [] as number[], all: [] as number[] }
  for (let n = 0; n < times; n++) {
    change(n)
    const began = performance.now()
    const touched = await planner.read()
    const read = performance.now()
    planner.propose(touched)
    const planned = performance.now()
    if (planner.changes === 0) throw new Error('a changed line made no change')
    await planner.commit()
    const committed = performance.now()
    samples.read.push(read - began)
    samples.plan.push(planned - read)
    samples.commit.push(committed - planned)
    samples.all.push(committed - began)
  }
  return samples
}
