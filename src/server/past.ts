import { ancestorsOf } from './repo/ancestors.ts'
import { RepoError } from './repo/error.ts'
import type { RevisionInfo, Store } from './store/types.ts'

/** Why no revision can be shown, and what to do. */
export class PastError extends Error {
  override readonly name: string = 'PastError'
  readonly hint: string
  constructor(message: string, hint: string) {
    super(message)
    this.hint = hint
  }
}

/** Digits are a revision; git abbreviates no commit to fewer than this. */
const SHORTEST_COMMIT = 7
const LIST = 'netloom history lists revisions with their commits'

/** The revision that a word names: its number, or what was applied at a commit (`HEAD~3`, a hash, a tag). Throws `PastError`. */
export async function revisionNamed(store: Store, dir: string, word: string): Promise<RevisionInfo> {
  if (/^\d+$/.test(word)) {
    const found = await store.revision(Math.min(Number(word), Number.MAX_SAFE_INTEGER))
    if (found !== undefined) return found
    if (word.length < SHORTEST_COMMIT) throw new PastError(`there is no revision ${word}${await known(store)}`, LIST)
  }
  const line = await ancestorsOf(dir, word).catch((error: unknown) => {
    if (!(error instanceof RepoError)) throw error
    throw new PastError(`${word} is neither a revision nor a commit that git knows in ${dir}`, LIST)
  })
  const found = appliedAt(await store.revisions(Number.MAX_SAFE_INTEGER), line)
  if (found === undefined)
    throw new PastError(`nothing was applied from commit ${(line[0] ?? '').slice(0, 12)} or from one before it`, LIST)
  return found
}

async function known(store: Store): Promise<string> {
  const newest = (await store.currentRevision())?.revision
  return newest === undefined ? '; nothing was applied yet' : `; the newest is ${newest}`
}

/**
 * What was applied when the first commit of `line` was the newest: the revision made of exactly that commit; else the newest one made from the nearest commit before it, changes
 * that were not yet committed included, because what is saved is often applied first and committed afterwards. `revisions` newest first; `line`: a commit and its ancestors.
 */
export function appliedAt(revisions: readonly RevisionInfo[], line: readonly string[]): RevisionInfo | undefined {
  const [commit, ...before] = line
  const exact = revisions.find((r) => r.git?.commit === commit && !r.git?.dirty)
  if (exact !== undefined) return exact
  const newest = new Map<string, RevisionInfo>()
  for (const revision of revisions) {
    const from = revision.git?.commit
    if (from !== undefined && !newest.has(from)) newest.set(from, revision)
  }
  for (const ancestor of before) {
    const revision = newest.get(ancestor)
    if (revision !== undefined) return revision
  }
  return undefined
}
