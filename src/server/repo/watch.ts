import { statSync } from 'node:fs'
import { join } from 'node:path'
import { hasErrors, type Issue } from '../../model/issue.ts'
import type { Key } from '../../model/key.ts'
import type { LoadedFile } from '../../model/resource.ts'
import { EMPTY_TREE, type Tree, treeIssues, withFiles } from '../load/tree.ts'
import { RepoError } from './error.ts'
import { type GitState, type GitView, gitView } from './git.ts'
import { findGit, readRef } from './git-folder.ts'
import type { ReadContext } from './load-files.ts'
import { readCommit, resolveCommit } from './read-commit.ts'
import { type Read, readWorktree } from './read-worktree.ts'
import { RULES, type Rules, type Settling, settle, type Verdict } from './settle.ts'
import { diffSnapshots, type SeenFile, type Snapshot } from './snapshot.ts'
import { createWaker, type Waker } from './wake.ts'

/** Where the desired state is read from: the files as they lie there, or what a ref's commit holds (bare repositories too). */
export type RepoSource = { readonly from: 'worktree' } | { readonly from: 'commit'; readonly ref: string }

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
  /** Looks now; resolves when that look is done. */
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

interface Recheck {
  readonly due: number
  readonly serial: number
  readonly resolve: (answer: 'same' | 'changed') => void
}

class Watching {
  readonly #dir: string
  readonly #options: WatchOptions
  readonly #onState: (state: RepoState) => void | Promise<void>
  readonly #git: GitView
  #waker: Waker | undefined
  #root = ''
  #seen: Snapshot | undefined
  #acted: Snapshot | undefined
  #tree: Tree = EMPTY_TREE
  #settling: Settling | undefined
  #fresh: LoadedFile[] = []
  #rechecks: Recheck[] = []
  #afterLook: (() => void)[] = []
  #serial = 0
  #looks = 0
  #missed = 0
  #woken = false
  #stopped = false
  #interrupt: () => void = () => {}
  #verdict: Verdict = { act: false, why: 'starting' }
  #failure: string | undefined

  constructor(dir: string, options: WatchOptions, onState: (state: RepoState) => void | Promise<void>) {
    this.#dir = dir
    this.#options = options
    this.#onState = onState
    this.#git = gitView(dir)
  }

  status(): WatchStatus {
    const why = this.#failure ?? (this.#verdict.act ? undefined : this.#verdict.why)
    const polling = this.#waker?.polling()
    const phase = this.#stopped
      ? 'closed'
      : this.#failure !== undefined
        ? 'failing'
        : this.#looks === 0
          ? 'starting'
          : why === undefined
            ? 'idle'
            : 'waiting'
    return {
      phase,
      looks: this.#looks,
      missedByEvents: this.#missed,
      serial: this.#serial,
      ...(why === undefined ? {} : { why }),
      ...(polling === undefined ? {} : { polling }),
    }
  }

  rescan(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stopped) resolve()
      else {
        this.#afterLook.push(resolve)
        this.#wake()
      }
    })
  }

  recheckAfter(ms: number): Promise<'same' | 'changed'> {
    return new Promise((resolve) => {
      if (this.#stopped) resolve('changed')
      else {
        this.#rechecks.push({ due: performance.now() + ms, serial: this.#serial, resolve })
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
        this.#woken = false
        const waiting = this.#afterLook.splice(0)
        await this.#look()
        for (const resolve of waiting) resolve()
        this.#answerRechecks()
        await this.#pause()
      }
    } finally {
      this.#stopped = true
      for (const resolve of this.#afterLook.splice(0)) resolve()
      for (const { resolve } of this.#rechecks.splice(0)) resolve('changed')
      await this.#waker?.close()
    }
  }

  readonly #wake = (): void => {
    this.#woken = true
    this.#interrupt()
  }

  /** Watches the folder that is there now: one that was renamed away and replaced is another folder. */
  #keepWaker(): void {
    const root = rootId(this.#dir)
    if (root === this.#root) return
    this.#root = root
    const old = this.#waker
    this.#waker = createWaker(this.#dir, gitPaths(this.#dir, this.#options.source), this.#wake)
    // The old one watches a folder that nobody reads any more; its end concerns nobody.
    old?.close().catch(() => {})
  }

  async #look(): Promise<void> {
    const hadSeen = this.#seen !== undefined
    const asked = this.#settling !== undefined
    try {
      this.#verdict =
        this.#options.source.from === 'commit' ? await this.#lookAtCommit(this.#options.source.ref) : await this.#lookAtFiles()
      this.#failure = undefined
    } catch (error) {
      if (!(error instanceof RepoError)) throw error
      if (this.#failure !== error.message) this.#options.onProblem?.(error)
      this.#failure = error.message
      this.#verdict = { act: false, until: performance.now() + FAILING_MS, why: error.message }
      return
    } finally {
      this.#looks++
    }
    if (hadSeen && !asked && !this.#byEvent && (this.#verdict.act || this.#verdict.until !== undefined)) this.#missed++
    if (this.#verdict.act) await this.#act()
  }

  #byEvent = true

  async #lookAtFiles(): Promise<Verdict> {
    const operation = this.#git.operation()
    const read = operation === undefined ? await readWorktree(this.#dir, this.#options.context, this.#seen) : undefined
    // An operation that began while we read may have had its hands in what we read.
    const busy = operation ?? this.#git.operation()
    const { state, verdict } =
      busy === undefined && read !== undefined ? this.#settleRead(read) : settle(this.#settling, idleLook(busy), this.#rules())
    this.#settling = state
    return verdict
  }

  #settleRead(read: Read): ReturnType<typeof settle> {
    const { snapshot, fresh } = read
    const since = diffSnapshots(this.#seen, snapshot)
    const { changed, removed } = diffSnapshots(this.#acted, snapshot)
    this.#seen = snapshot
    this.#fresh.push(...fresh)
    this.#waker?.follow(snapshot.targets)
    // The first state is waited for in peace, also when it is empty.
    const least = this.#acted === undefined ? 2 : 0
    return settle(
      this.#settling,
      {
        at: performance.now(),
        changed: Math.max(least, changed.length),
        removed: removed.length,
        moved: since.changed.length + since.removed.length > 0,
        doubtful: changed.some((file) => isDoubtful(file, this.#acted)),
      },
      this.#rules(),
    )
  }

  /** A commit is whole by itself. Only HEAD moves about while git is at work. */
  async #lookAtCommit(ref: string): Promise<Verdict> {
    const operation = ref === 'HEAD' ? this.#git.operation() : undefined
    if (operation !== undefined) return { act: false, until: performance.now() + this.#rules().pollMs, why: operation }
    const git = findGit(this.#dir)
    if (git === undefined) throw new RepoError('no-repository', `${this.#dir} is no git repository`)
    const commit = readRef(git, ref) ?? (await resolveCommit(this.#dir, ref))
    if (commit === this.#acted?.commit) return { act: false }
    const { snapshot, fresh } = await readCommit(this.#dir, commit, this.#options.context, this.#seen)
    this.#seen = snapshot
    this.#fresh.push(...fresh)
    return { act: true }
  }

  async #act(): Promise<void> {
    const snapshot = this.#seen
    if (snapshot === undefined) return
    const { changed, removed } = diffSnapshots(this.#acted, snapshot)
    const { tree, touched } = withFiles(
      this.#tree,
      changed.map((file) => file.loaded),
      removed,
    )
    const git = await this.#git.state(snapshot)
    this.#acted = snapshot
    this.#tree = tree
    this.#serial++
    await this.#onState({ tree, touched, issues: treeIssues(tree), git, snapshot, serial: this.#serial })
    await this.#remember()
  }

  async #remember(): Promise<void> {
    const fresh = this.#fresh.splice(0)
    if (fresh.length === 0) return
    try {
      await this.#options.context.cache?.put(fresh)
    } catch (error) {
      // A cache that takes nothing costs time at the next start, nothing else.
      this.#options.onProblem?.(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #rules(): Rules {
    return this.#options.rules ?? RULES
  }

  /** A look that found the repo at rest answers those whose time has come. */
  #answerRechecks(): void {
    const now = performance.now()
    const atRest = this.#failure === undefined && !this.#verdict.act && this.#verdict.until === undefined
    this.#rechecks = this.#rechecks.filter(({ due, serial, resolve }) => {
      if (serial !== this.#serial) resolve('changed')
      else if (due <= now && atRest) resolve('same')
      else return true
      return false
    })
  }

  async #pause(): Promise<void> {
    if (this.#woken || this.#stopped || this.#afterLook.length > 0) {
      this.#byEvent = true
      return
    }
    const until = Math.min(this.#nextLook(), ...this.#rechecks.map((r) => r.due))
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, until - performance.now()))
      this.#interrupt = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#interrupt = () => {}
    this.#byEvent = this.#woken
  }

  #nextLook(): number {
    if (!this.#verdict.act && this.#verdict.until !== undefined) return this.#verdict.until
    if (this.#verdict.act) return performance.now()
    const every = this.#waker?.polling() === undefined ? (this.#options.rescanMs ?? 60_000) : POLLING_MS
    return performance.now() + every
  }
}

function idleLook(operation: string | undefined) {
  return { at: performance.now(), changed: 0, removed: 0, moved: false, doubtful: false, ...(operation === undefined ? {} : { operation }) }
}

/** New content without a line end where there was one (or nothing) before, or with errors: perhaps somebody is still writing. */
function isDoubtful(file: SeenFile, acted: Snapshot | undefined): boolean {
  const before = acted?.files.get(file.path)
  return hasErrors(file.loaded.issues) || (!file.terminated && (before === undefined || before.terminated))
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
  if (git === undefined || source.from === 'worktree') return []
  return [join(git.own, 'HEAD'), join(git.common, 'packed-refs'), join(git.common, 'refs')]
}
