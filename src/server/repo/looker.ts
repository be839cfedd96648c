import { hasErrors } from '../../model/issue.ts'
import type { LoadedFile } from '../../model/resource.ts'
import { RepoError } from './error.ts'
import type { GitView } from './git.ts'
import { findGit, readRef } from './git-folder.ts'
import type { ReadContext } from './load-files.ts'
import { readCommit, resolveCommit } from './read-commit.ts'
import { type Read, readWorktree, rereadFiles } from './read-worktree.ts'
import { type Rules, type Settling, settle, type Verdict } from './settle.ts'
import { diffSnapshots, type SeenFile, type Snapshot } from './snapshot.ts'

/** Where the desired state is read from: the files as they lie there, or what a ref's commit holds (bare repositories too). */
export type RepoSource = { readonly from: 'worktree' } | { readonly from: 'commit'; readonly ref: string }

/** Looks at a repo again and again, and says of each look whether it is time to act. Remembers what it saw and what was acted on. */
export interface Looker {
  /**
   * `hints`: the only files that events named since the last look, undefined when there may be others. They save reading the tree for events that
   * changed nothing; before anything is acted on, the whole tree is looked at. Throws `RepoError` when the repo as a whole cannot be read.
   */
  look(hints?: ReadonlySet<string>): Promise<Verdict>
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
  let head: string | undefined
  let actedHead: string | undefined

  const take = (read: Read) => {
    seen = read.snapshot
    fresh = fresh.concat(read.fresh)
  }

  const read = async (hints: ReadonlySet<string> | undefined): Promise<Read> => {
    const base = settling === undefined && acted !== undefined ? seen : undefined
    const narrow = base !== undefined && hints !== undefined && hints.size > 0 && [...hints].every((path) => base.files.has(path))
    return (narrow ? await rereadFiles(dir, context, base, hints) : undefined) ?? (await readWorktree(dir, context, seen))
  }

  const lookAtFiles = async (hints: ReadonlySet<string> | undefined): Promise<Verdict> => {
    const operation = git.operation()
    const now = operation === undefined ? await read(hints) : undefined
    // An operation that began while we read may have had its hands in what we read.
    const busy = operation ?? git.operation()
    head = git.head()
    const at = performance.now()
    const idle = { at, changed: 0, removed: 0, moved: false, doubtful: false }
    const step =
      busy === undefined && now !== undefined
        ? settle(settling, { at, ...compared(now.snapshot, seen, acted) }, rules)
        : settle(settling, busy === undefined ? idle : { ...idle, operation: busy }, rules)
    if (busy === undefined && now !== undefined) take(now)
    settling = step.state
    if (busy !== undefined || settling !== undefined || step.verdict.act) return step.verdict
    // The same files in another commit: who edits, commits and then applies means the commit, and what was deleted is now deleted on purpose.
    return head === actedHead ? step.verdict : { act: true }
  }

  /** A commit is whole by itself. Only HEAD moves about while git is at work. */
  const lookAtCommit = async (ref: string): Promise<Verdict> => {
    const operation = ref === 'HEAD' ? git.operation() : undefined
    if (operation !== undefined) return { act: false, until: performance.now() + rules.pollMs, why: operation, operation: true }
    const folder = findGit(dir)
    if (folder === undefined) throw new RepoError('no-repository', `${dir} is no git repository`)
    const commit = readRef(folder, ref) ?? (await resolveCommit(dir, ref))
    if (commit === acted?.commit) return { act: false }
    take(await readCommit(dir, commit, context, seen))
    return { act: true }
  }

  return {
    look: (hints) => (source.from === 'commit' ? lookAtCommit(source.ref) : lookAtFiles(hints)),
    seen: () => seen,
    acted: () => acted,
    act: () => {
      acted = seen
      actedHead = head
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
