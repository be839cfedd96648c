import { hasErrors } from '../../model/issue.ts'
import type { LoadedFile } from '../../model/resource.ts'
import { RepoError } from './error.ts'
import type { GitView } from './git.ts'
import { findGit, readRef } from './git-folder.ts'
import type { ReadContext } from './load-files.ts'
import { readCommit, resolveCommit } from './read-commit.ts'
import { type Read, readWorktree } from './read-worktree.ts'
import { type Rules, type Settling, settle, type Verdict } from './settle.ts'
import { diffSnapshots, type SeenFile, type Snapshot } from './snapshot.ts'

/** Where the desired state is read from: the files as they lie there, or what a ref's commit holds (bare repositories too). */
export type RepoSource = { readonly from: 'worktree' } | { readonly from: 'commit'; readonly ref: string }

/** Looks at a repo again and again, and says of each look whether it is time to act. Remembers what it saw and what was acted on. */
export interface Looker {
  /** Throws `RepoError` when the repo as a whole cannot be read. */
  look(): Promise<Verdict>
  seen(): Snapshot | undefined
  acted(): Snapshot | undefined
  /** What was seen is now what was acted on. */
  act(): void
  /** True while something unacted-on is being waited for. */
  settling(): boolean
  /** Files read since the last call that no cache knew. */
  takeFresh(): readonly LoadedFile[]
}

export function createLooker(dir: string, source: RepoSource, context: ReadContext, git: GitView, rules: Rules): Looker {
  let seen: Snapshot | undefined
  let acted: Snapshot | undefined
  let settling: Settling | undefined
  let fresh: LoadedFile[] = []

  const take = (read: Read) => {
    seen = read.snapshot
    fresh = fresh.concat(read.fresh)
  }

  const lookAtFiles = async (): Promise<Verdict> => {
    const operation = git.operation()
    const read = operation === undefined ? await readWorktree(dir, context, seen) : undefined
    // An operation that began while we read may have had its hands in what we read.
    const busy = operation ?? git.operation()
    const at = performance.now()
    const idle = { at, changed: 0, removed: 0, moved: false, doubtful: false }
    const step =
      busy === undefined && read !== undefined
        ? settle(settling, { at, ...compared(read.snapshot, seen, acted) }, rules)
        : settle(settling, busy === undefined ? idle : { ...idle, operation: busy }, rules)
    if (busy === undefined && read !== undefined) take(read)
    settling = step.state
    return step.verdict
  }

  /** A commit is whole by itself. Only HEAD moves about while git is at work. */
  const lookAtCommit = async (ref: string): Promise<Verdict> => {
    const operation = ref === 'HEAD' ? git.operation() : undefined
    if (operation !== undefined) return { act: false, until: performance.now() + rules.pollMs, why: operation }
    const folder = findGit(dir)
    if (folder === undefined) throw new RepoError('no-repository', `${dir} is no git repository`)
    const commit = readRef(folder, ref) ?? (await resolveCommit(dir, ref))
    if (commit === acted?.commit) return { act: false }
    take(await readCommit(dir, commit, context, seen))
    return { act: true }
  }

  return {
    look: () => (source.from === 'commit' ? lookAtCommit(source.ref) : lookAtFiles()),
    seen: () => seen,
    acted: () => acted,
    act: () => {
      acted = seen
    },
    settling: () => settling !== undefined,
    takeFresh: () => {
      const taken = fresh
      fresh = []
      return taken
    },
  }
}

function compared(now: Snapshot, before: Snapshot | undefined, acted: Snapshot | undefined) {
  const since = diffSnapshots(before, now)
  const { changed, removed } = diffSnapshots(acted, now)
  // The first state is waited for in peace, also when it is empty.
  const least = acted === undefined ? 2 : 0
  return {
    changed: Math.max(least, changed.length),
    removed: removed.length,
    moved: since.changed.length + since.removed.length > 0,
    doubtful: changed.some((file) => isDoubtful(file, acted)),
  }
}

/** New content without a line end where there was one (or nothing) before, or with errors: perhaps somebody is still writing. */
function isDoubtful(file: SeenFile, acted: Snapshot | undefined): boolean {
  const before = acted?.files.get(file.path)
  return hasErrors(file.loaded.issues) || (!file.terminated && (before === undefined || before.terminated))
}
