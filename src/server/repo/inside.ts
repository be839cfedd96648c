import { existsSync, realpathSync } from 'node:fs'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import type { Issue } from '../../model/issue.ts'
import { findGit } from './git-folder.ts'

/** Folders that lie in a repository and are not of it: git's own, and Netloom's with the server's key. */
const NOT_OF_IT: ReadonlySet<string> = new Set(['.git', '.netloom'])

/**
 * Whether a real path belongs to the repository at `root`: it lies below it, or, where `root` is a folder of a git worktree, elsewhere in that worktree. Whoever may
 * write a link into the repository need not be one who may read what Netloom can. `root` itself may be a link, as may be any folder above.
 */
export function repositoryOf(root: string): (real: string) => boolean {
  const worktree = findGit(root)?.worktree
  const tops = [resolve(root), ...(worktree === undefined ? [] : [worktree])].flatMap((top) => (existsSync(top) ? [realpathSync(top)] : []))
  return (real) => tops.some((top) => isBelow(top, real))
}

function isBelow(top: string, real: string): boolean {
  const path = relative(top, real)
  const parts = path.split(sep)
  return !isAbsolute(path) && parts[0] !== '..' && !parts.some((part) => NOT_OF_IT.has(part))
}

/** What is behind the link is neither read nor shown. */
export function leadsOut(path: string): Issue {
  return {
    code: 'E0812',
    severity: 'error',
    message: 'the symbolic link leads out of the repository',
    place: { file: path, line: 1, col: 1 },
    hint: 'put what it leads to into the repository; links within it are followed, and .git and .netloom are not of it',
  }
}
