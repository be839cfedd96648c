import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'

/** Where a repository keeps its things; found without starting git. */
export interface GitFolder {
  /** HEAD, index and the marks of running operations: of this worktree. */
  readonly own: string
  /** Objects and refs: shared by all worktrees. Equal to `own` in an ordinary repository. */
  readonly common: string
  /** The top of the worktree; undefined for a bare repository. */
  readonly worktree?: string
}

/** The repository that `dir` belongs to: an ordinary one, a linked worktree, a submodule, or a bare one. Undefined when there is none. */
export function findGit(dir: string): GitFolder | undefined {
  const start = resolve(dir)
  if (isGitFolder(start)) return { own: start, common: commonOf(start) }
  for (let at = start; ; at = dirname(at)) {
    const own = dotGit(at)
    if (own !== undefined) return { own, common: commonOf(own), worktree: at }
    if (dirname(at) === at) return undefined
  }
}

function dotGit(at: string): string | undefined {
  const path = join(at, '.git')
  try {
    if (statSync(path).isDirectory()) return isGitFolder(path) ? path : undefined
    const target = /^gitdir: (.+)$/m.exec(readFileSync(path, 'utf8'))?.[1]
    if (target === undefined) return undefined
    const own = isAbsolute(target) ? target : resolve(at, target)
    return existsSync(join(own, 'HEAD')) ? own : undefined
  } catch {
    return undefined
  }
}

function isGitFolder(path: string): boolean {
  return existsSync(join(path, 'HEAD')) && existsSync(join(path, 'objects')) && existsSync(join(path, 'refs'))
}

function commonOf(own: string): string {
  const text = readText(join(own, 'commondir'))
  return text === undefined ? own : resolve(own, text.trim())
}

/** Marks that git leaves in its folder while it, or the operator in the middle of it, is at work. A bisect is none: its tree is whole. */
const MARKS: readonly (readonly [string, string])[] = [
  ['index.lock', 'a git command is running (index.lock)'],
  ['MERGE_HEAD', 'a merge is not finished'],
  ['rebase-merge', 'a rebase is not finished'],
  ['rebase-apply', 'a rebase or `git am` is not finished'],
  ['CHERRY_PICK_HEAD', 'a cherry-pick is not finished'],
  ['REVERT_HEAD', 'a revert is not finished'],
  ['sequencer', 'a cherry-pick or revert of several commits is not finished'],
]

/** What git is in the middle of, in words; undefined when the worktree is nobody's but the operator's. */
export function operationInProgress(git: GitFolder): string | undefined {
  return MARKS.find(([name]) => existsSync(join(git.own, name)))?.[1]
}

/** The commit that a ref stands for: `HEAD`, `main`, `refs/heads/main`, a tag's ref or a full id; undefined when files do not tell (ask git then). */
export function readRef(git: GitFolder, name: string): string | undefined {
  let ref = name
  for (let hops = 0; hops < 5; hops++) {
    const text = isId(ref) ? ref : lookUp(git, ref)
    if (text === undefined) return undefined
    if (isId(text)) return text
    if (!text.startsWith('ref: ')) return undefined
    ref = text.slice(5).trim()
  }
  return undefined
}

function lookUp(git: GitFolder, name: string): string | undefined {
  if (name.split('/').includes('..')) return undefined
  const names = name === 'HEAD' || name.startsWith('refs/') ? [name] : [`refs/heads/${name}`]
  for (const candidate of names) {
    const loose = readText(join(candidate === 'HEAD' ? git.own : git.common, candidate)) ?? readText(join(git.own, candidate))
    if (loose !== undefined) return loose.trim()
    const packed = packedRef(git, candidate)
    if (packed !== undefined) return packed
  }
  return undefined
}

function packedRef(git: GitFolder, name: string): string | undefined {
  const text = readText(join(git.common, 'packed-refs'))
  const line = text?.split('\n').find((l) => l.endsWith(` ${name}`))
  return line?.split(' ', 1)[0]
}

function isId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
