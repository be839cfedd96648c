import type { Issue } from '../../model/issue.ts'
import { EMPTY_TREE, type Tree, treeIssues, withFiles } from '../load/tree.ts'
import { type GitState, gitView } from './git.ts'
import type { ReadContext } from './load-files.ts'
import type { RepoSource } from './looker.ts'
import { readCommit, resolveCommit } from './read-commit.ts'
import { readWorktree } from './read-worktree.ts'
import { diffSnapshots, type Snapshot } from './snapshot.ts'

export interface RepoRead {
  readonly tree: Tree
  /** All mistakes, sorted. */
  readonly issues: readonly Issue[]
  readonly git: GitState
  readonly snapshot: Snapshot
  /** What git is in the middle of: the files may be half of something. */
  readonly operation?: string
}

/** Reads the repo as it lies there now, for commands that run once. Fills the cache. Throws `RepoError`, and what the cache throws. */
export async function readOnce(dir: string, source: RepoSource, context: ReadContext): Promise<RepoRead> {
  const git = gitView(dir)
  const before = source.from === 'worktree' ? git.operation() : undefined
  const { snapshot, fresh } =
    source.from === 'worktree' ? await readWorktree(dir, context) : await readCommit(dir, await resolveCommit(dir, source.ref), context)
  const { tree } = withFiles(
    EMPTY_TREE,
    diffSnapshots(undefined, snapshot).changed.map((file) => file.loaded),
  )
  const operation = before ?? (source.from === 'worktree' ? git.operation() : undefined)
  if (fresh.length > 0) await context.cache?.put(fresh)
  return { tree, issues: treeIssues(tree), git: await git.state(snapshot), snapshot, ...(operation === undefined ? {} : { operation }) }
}
