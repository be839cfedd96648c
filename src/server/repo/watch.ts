import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Issue } from '../../model/issue.ts'
import type { Key } from '../../model/key.ts'
import type { LoadedFile } from '../../model/resource.ts'
import { EMPTY_TREE, type Tree, treeIssues, withFiles } from '../load/tree.ts'
import { RepoError } from './error.ts'
import { type GitState, type GitView, gitView } from './git.ts'
import { findGit } from './git-folder.ts'
import type { ReadContext } from './load-files.ts'
import { createLooker, type Looker, type RepoSource } from './looker.ts'
import { type Rechecks, rechecks } from './rechecks.ts'
import { RULES, type Rules, type Verdict } from './settle.ts'
import { diffSnapshots, type Snapshot } from './snapshot.ts'
import type { Waker } from './wake.ts'
import { createWakerThread } from './wake-thread.ts'

/** The repo at rest, as it is handed on. */
export interface RepoState {
  readonly tree: Tree
  /** Keys whose declared value differs from that of the state handed on before; a caller that did not act on that one adds them up. */
  readonly touched: ReadonlySet<Key>
  /** All mistakes, sorted. With an error among them the last good state keeps serving. */
  readonly issues: readonly Issue[]
  readonly git: GitState
  readonly snapshot: Snapshot
  /** Counts the states handed on, from 1. */
  readonly serial: number
}

export interface WatchOptions {
  readonly source: RepoSource
  readonly context: ReadContext
  /** The root, the repository or the cache cannot be read; called when that begins and when its text changes. The last state stands. */
  readonly onProblem?: (error: Error) => void
  readonly rules?: Rules
  /** Between looks without any event; 60 s if left out. */
  readonly rescanMs?: number
  /** What tells of changes; chokidar in a thread if left out. */
  readonly createWaker?: typeof createWakerThread
}

export interface WatchStatus {
  readonly phase: 'starting' | 'idle' | 'waiting' | 'failing' | 'closed'
  /** What is waited for, or what fails. */
  readonly why?: string
  /** Undefined while file events work; else why looks come from a clock. */
  readonly polling?: string
  readonly looks: number
  /** Periodic looks that found what no event had told. */
  readonly missedByEvents: number
  readonly serial: number
}

export interface RepoWatch {
  status(): WatchStatus
  /**
   * Looks now; resolves when what it sees is handed on. Where files are just changing, that is when they have come to rest: who saves and then asks for a plan means what was
   * saved. While git is at work, or the repo cannot be read, it resolves at once.
   */
  rescan(): Promise<void>
  /**
   * Looks again after `ms` (`delete_settle`): `same` when the repo then still is, at rest, what was last handed on; `changed` when
   * another state was handed on meanwhile, or the watch was closed.
   */
  recheckAfter(ms: number): Promise<'same' | 'changed'>
  close(): Promise<void>
  /** Settles when the watch has ended; rejects with what `onState` threw. */
  readonly ended: Promise<void>
}

const FAILING_MS = 1000
const POLLING_MS = 1000

/**
 * Watches a repo and hands on each state in which it comes to rest, the first one included, one at a time: the next look waits for `onState`.
 * Broken states are handed on too, with their issues; so is the repair, also to the very same content.
 */
export function watchRepo(dir: string, options: WatchOptions, onState: (state: RepoState) => void | Promise<void>): RepoWatch {
  const watch = new Watching(dir, options, onState)
  const ended = watch.run()
  return {
    status: () => watch.status(),
    rescan: () => watch.rescan(),
    recheckAfter: (ms) => watch.recheckAfter(ms),
    close: async () => {
      watch.stop()
      await ended.catch(() => {})
    },
    ended,
  }
}

class Watching {
  readonly #dir: string
  readonly #options: WatchOptions
  readonly #onState: (state: RepoState) => void | Promise<void>
  readonly #git: GitView
  readonly #looker: Looker
  readonly #rechecks: Rechecks = rechecks()
  #waker: Waker | undefined
  #root = ''
  #tree: Tree = EMPTY_TREE
  #afterLook: (() => void)[] = []
  /** Those whose look found files that were just changing. */
  readonly #unsettled: (() => void)[] = []
  #serial = 0
  #looks = 0
  #missed = 0
  #woken = false
  /** The only files that events named since the last look; undefined when there may be others. */
  #hints: Set<string> | undefined = new Set()
  /** The coming look was asked for by an event, a caller or the last verdict, not by the rescan's clock. */
  #expected = true
  #stopped = false
  #interrupt: () => void = () => {}
  #verdict: Verdict = { act: false, why: 'starting' }
  #failure: string | undefined

  constructor(dir: string, options: WatchOptions, onState: (state: RepoState) => void | Promise<void>) {
    this.#dir = dir
    this.#options = options
    this.#onState = onState
    this.#git = gitView(dir)
    this.#looker = createLooker(dir, options.source, options.context, this.#git, options.rules ?? RULES)
  }

  status(): WatchStatus {
    const why = this.#failure ?? (this.#verdict.act ? undefined : this.#verdict.why)
    const polling = this.#waker?.polling()
    return {
      phase: this.#phase(why),
      looks: this.#looks,
      missedByEvents: this.#missed,
      serial: this.#serial,
      ...(why === undefined ? {} : { why }),
      ...(polling === undefined ? {} : { polling }),
    }
  }

  #phase(why: string | undefined): WatchStatus['phase'] {
    if (this.#stopped) return 'closed'
    if (this.#failure !== undefined) return 'failing'
    if (this.#serial === 0) return 'starting'
    return why === undefined ? 'idle' : 'waiting'
  }

  rescan(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stopped) resolve()
      else {
        this.#afterLook.push(resolve)
        this.#hints = undefined
        this.#interrupt()
      }
    })
  }

  recheckAfter(ms: number): Promise<'same' | 'changed'> {
    return new Promise((resolve) => {
      if (this.#stopped) resolve('changed')
      else {
        this.#rechecks.add(performance.now() + ms, this.#serial, resolve)
        this.#interrupt()
      }
    })
  }

  stop(): void {
    this.#stopped = true
    this.#interrupt()
  }

  async run(): Promise<void> {
    try {
      while (!this.#stopped) {
        this.#keepWaker()
        const hints = this.#expected && this.#woken ? this.#hints : undefined
        this.#woken = false
        this.#hints = new Set()
        const waiting = this.#afterLook.splice(0)
        await this.#look(hints)
        if (this.#verdict.act) await this.#act()
        this.#unsettled.push(...waiting)
        if (!this.#isSettling()) for (const resolve of this.#unsettled.splice(0)) resolve()
        const atRest = this.#failure === undefined && !this.#verdict.act && this.#verdict.until === undefined
        this.#rechecks.answer(performance.now(), this.#serial, atRest)
        await this.#pause()
      }
    } finally {
      this.#stopped = true
      for (const resolve of [...this.#afterLook.splice(0), ...this.#unsettled.splice(0)]) resolve()
      this.#rechecks.end()
      await this.#waker?.close()
    }
  }

  /** A look will follow by itself, and it will act or find nothing to do. */
  #isSettling(): boolean {
    const verdict = this.#verdict
    return this.#failure === undefined && !verdict.act && verdict.until !== undefined && verdict.operation !== true
  }

  readonly #wake = (path?: string): void => {
    this.#woken = true
    if (path === undefined) this.#hints = undefined
    else this.#hints?.add(path)
    // While something settles, the next look is due soon anyway; a checkout of a thousand files must not cause a thousand.
    if (!this.#looker.settling()) this.#interrupt()
  }

  /** Watches the folder that is there now: one that was renamed away and replaced is another folder. */
  #keepWaker(): void {
    const root = rootId(this.#dir)
    if (root === this.#root) return
    this.#root = root
    const old = this.#waker
    this.#waker = (this.#options.createWaker ?? createWakerThread)(this.#dir, gitPaths(this.#dir, this.#options.source), this.#wake)
    // The old one watches a folder that nobody reads any more; its end concerns nobody.
    old?.close().catch(() => {})
  }

  async #look(hints: ReadonlySet<string> | undefined): Promise<void> {
    const calm = this.#looker.seen() !== undefined && !this.#looker.settling()
    this.#looks++
    try {
      this.#verdict = await this.#looker.look(hints)
      this.#failure = undefined
    } catch (error) {
      if (!(error instanceof RepoError)) throw error
      if (this.#failure !== error.message) this.#options.onProblem?.(error)
      this.#failure = error.message
      this.#verdict = { act: false, until: performance.now() + FAILING_MS, why: error.message }
      return
    }
    this.#waker?.follow(this.#looker.seen()?.targets ?? [])
    if (calm && !this.#expected && (this.#verdict.act || this.#verdict.until !== undefined)) this.#missed++
  }

  async #act(): Promise<void> {
    const snapshot = this.#looker.seen()
    if (snapshot === undefined) return
    const { changed, removed } = diffSnapshots(this.#looker.acted(), snapshot)
    const files = changed.map((file) => file.loaded)
    const { tree, touched } = withFiles(this.#tree, files, removed)
    const git = await this.#git.state(snapshot)
    this.#looker.act()
    this.#tree = tree
    this.#serial++
    await this.#onState({ tree, touched, issues: treeIssues(tree), git, snapshot, serial: this.#serial })
    await this.#remember(this.#looker.takeFresh())
  }

  async #remember(fresh: readonly LoadedFile[]): Promise<void> {
    try {
      if (fresh.length > 0) await this.#options.context.cache?.put(fresh)
    } catch (error) {
      // A cache that takes nothing costs time at the next start, nothing else.
      this.#options.onProblem?.(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #pause(): Promise<void> {
    this.#expected = true
    if (this.#stopped || this.#afterLook.length > 0 || (this.#woken && !this.#looker.settling())) return
    // One clock reading for both: a time that comes between two readings would be neither due nor overdue.
    const now = performance.now()
    const next = this.#nextLook(now)
    const until = Math.min(next.at, this.#rechecks.due(now))
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, until - performance.now()))
      this.#interrupt = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#interrupt = () => {}
    this.#expected = this.#woken || !next.routine
  }

  #nextLook(now: number): { readonly at: number; readonly routine: boolean } {
    // What was handed on took longer to be considered than somebody wanted to wait, or his time came just after the last look.
    const another = this.#verdict.act || this.#verdict.until === undefined
    if (another && this.#rechecks.overdue(now)) return { at: now, routine: false }
    if (!this.#verdict.act && this.#verdict.until !== undefined) return { at: this.#verdict.until, routine: false }
    const polling = this.#waker?.polling() !== undefined
    return { at: now + (polling ? POLLING_MS : (this.#options.rescanMs ?? 60_000)), routine: !polling }
  }
}

function rootId(dir: string): string {
  try {
    const { dev, ino } = statSync(dir)
    return `${dev}:${ino}`
  } catch {
    return 'none'
  }
}

function gitPaths(dir: string, source: RepoSource): readonly string[] {
  const git = findGit(dir)
  if (git === undefined) return []
  const refs = source.from === 'worktree' ? 'refs/heads' : 'refs'
  return [join(git.own, 'HEAD'), join(git.common, 'packed-refs'), join(git.common, refs)]
}
