import type { GitInfo } from '../plan/types.ts'
import { RepoError } from './error.ts'
import { findGit, operationInProgress, readRef } from './git-folder.ts'
import { listCommit, type TreeEntry } from './read-commit.ts'
import { runGit } from './run-git.ts'
import { isYamlName } from './scan.ts'
import type { Snapshot } from './snapshot.ts'

/** What git knows about a snapshot. */
export interface GitState {
  /** Undefined without a repository, before the first commit, or when git cannot be asked (`problem` says why). */
  readonly info?: GitInfo
  /** YAML files that the commit holds and the snapshot lacks, sorted: deleted on purpose, or not yet written. */
  readonly vanished: readonly string[]
  readonly problem?: string
}

export interface GitView {
  /** What git is in the middle of, in words. A few file look-ups, no process. */
  operation(): string | undefined
  /** The commit checked out, from files alone; undefined when they do not tell. */
  head(): string | undefined
  /**
   * Commit, author, subject, and whether the snapshot's YAML is exactly what the commit holds. Starts git once per commit; asking again costs a
   * comparison of ids. Never throws.
   */
  state(snapshot: Snapshot): Promise<GitState>
}

/** What one commit holds; looked up once. */
interface CommitFacts {
  readonly commit: string
  readonly author: string
  readonly subject: string
  readonly yaml: ReadonlyMap<string, TreeEntry>
}

/** A view of the repository around `dir`. The repository may appear, move and vanish while the view is held. */
export function gitView(dir: string): GitView {
  let known: CommitFacts | undefined
  const head = () => {
    const git = findGit(dir)
    return git === undefined ? undefined : readRef(git, 'HEAD')
  }
  return {
    operation: () => {
      const git = findGit(dir)
      return git === undefined ? undefined : operationInProgress(git)
    },
    head,
    state: async (snapshot) => {
      try {
        const commit = snapshot.commit ?? head()
        if (commit === undefined) return { vanished: [] }
        if (known?.commit !== commit) known = await commitFacts(dir, commit)
        return compare(known, snapshot)
      } catch (error) {
        if (error instanceof RepoError) return { vanished: [], problem: error.message }
        throw error
      }
    },
  }
}

async function commitFacts(dir: string, commit: string): Promise<CommitFacts> {
  const [log, entries] = await Promise.all([
    runGit(dir, ['log', '-1', '--no-show-signature', '--format=%an%x00%s', commit]),
    listCommit(dir, commit),
  ])
  const [author = '', subject = ''] = log.toString().trimEnd().split('\0')
  const yaml = entries.filter(
    (e) => e.path.split('/').every((part) => !part.startsWith('.')) && isYamlName(e.path.slice(e.path.lastIndexOf('/') + 1)),
  )
  return { commit, author, subject, yaml: new Map(yaml.map((e) => [e.path, e])) }
}

/** By ids of blobs: content that git would write exactly so is clean, whatever the index says. What links lead to is left out of the comparison. */
function compare(facts: CommitFacts, snapshot: Snapshot): GitState {
  const { commit, author, subject, yaml } = facts
  const vanished = [...yaml.keys()].filter((path) => !snapshot.files.has(path)).sort()
  const dirty =
    snapshot.commit === undefined &&
    (vanished.length > 0 ||
      [...snapshot.files.values()].some((file) => {
        const entry = yaml.get(file.path)
        return entry?.mode === '120000' ? false : entry?.id !== file.blob
      }))
  return { info: { commit, author, subject, dirty }, vanished }
}
