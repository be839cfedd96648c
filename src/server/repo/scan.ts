import { type Dirent, readdirSync, realpathSync, type Stats, statfsSync, statSync } from 'node:fs'
import type { Issue } from '../../model/issue.ts'
import { RepoError, systemCode } from './error.ts'
import { leadsOut, repositoryOf } from './inside.ts'
import type { Stamp } from './snapshot.ts'

/** A YAML file as the file system lists it. */
export interface FoundFile {
  /** Relative to the root, with `/`. */
  readonly path: string
  /** Where to open it. */
  readonly absolute: string
  readonly stamp: Stamp
}

export interface Scan {
  readonly files: readonly FoundFile[]
  /** Places of the tree that cannot be read, by path: each stands for files that may be missing, so none of them may pass as "deleted". */
  readonly faults: ReadonlyMap<string, Issue>
  /** Real paths of what symbolic links lead to, in the tree or elsewhere in its repository. */
  readonly targets: readonly string[]
}

/** A file of the desired state: YAML by its name, and no editor's or system's own (`.x`, `#x`, `x~`). */
export function isYamlName(name: string): boolean {
  return /\.ya?ml$/.test(name) && !name.startsWith('.') && !name.startsWith('#')
}

/** Looks at single files again. Paths that lead to no file any more are left out, faults included. */
export function statFiles(root: string, paths: Iterable<string>): readonly FoundFile[] {
  const out = emptyWalk(root, SCAN_LIMITS)
  for (const path of paths) {
    // Since the folder was looked at, a file, or a folder above it, may have become a link.
    const real = realPath(`${root}/${path}`)
    if (real !== undefined && out.isInside(real)) addFile(out, real, path)
  }
  return out.files
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

/**
 * Lists the YAML files below `root`: no dot-files, no dot-folders. Symbolic links are followed, to files and folders, within the repository; one that
 * leads out of it is a fault, and one to a folder that holds it. Throws `RepoError` when the root itself cannot be read, and `no-repository` when it holds more than any repository does.
 */
export function scanFolder(root: string, limits: ScanLimits = SCAN_LIMITS): Scan {
  const stats = checkRoot(root)
  const out = emptyWalk(root, limits)
  walk(out, root, '', [`${stats.dev}:${stats.ino}`])
  return { files: out.files, faults: out.faults, targets: out.targets }
}

/** Beyond these a folder is taken for something else than a repository (a home directory, a whole disk): looking through it would take minutes, at every change. */
export interface ScanLimits {
  readonly folders: number
  /** Names in all folders together. */
  readonly entries: number
}

const SCAN_LIMITS: ScanLimits = { folders: 20_000, entries: 500_000 }

interface Walk {
  readonly files: FoundFile[]
  readonly faults: Map<string, Issue>
  readonly targets: string[]
  /** Whether a real path is of the repository. */
  readonly isInside: (real: string) => boolean
  /** Counts a folder and the names in it; throws `RepoError` beyond the limits. */
  readonly count: (entries: number) => void
}

function emptyWalk(root: string, limits: ScanLimits): Walk {
  const seen = { folders: 0, entries: 0 }
  const count = (entries: number): void => {
    seen.folders++
    seen.entries += entries
    if (seen.folders <= limits.folders && seen.entries <= limits.entries) return
    const what = seen.folders > limits.folders ? `${limits.folders} folders` : `${limits.entries} names`
    throw notARepository(`${root} holds more than ${what}, links followed: that is no repository of networks`)
  }
  return { files: [], faults: new Map(), targets: [], isInside: repositoryOf(root), count }
}

function notARepository(what: string): RepoError {
  return new RepoError('no-repository', `${what}; name the folder that holds netloom.yaml`)
}

/** File systems that show the kernel, by the numbers of `statfs(2)`: their folders never end, and nobody keeps files there. */
const KERNEL_VIEWS: ReadonlyMap<number, string> = new Map([
  [0x9fa0, 'proc'],
  [0x62656572, 'sysfs'],
])

/** Depth of folders; real trees have a handful, and every level costs a stack frame. */
const MAX_FOLDERS = 64

/** Throws `RepoError` when `root` is no folder that can be read, or one that cannot hold a repository. */
export function checkRoot(root: string): Stats {
  try {
    const stats = statSync(root)
    if (!stats.isDirectory()) throw new RepoError('not-a-folder', `${root} is no folder; name the folder that holds netloom.yaml`)
    const view = KERNEL_VIEWS.get(statfsSync(root).type)
    if (view !== undefined) throw notARepository(`${root} is the kernel's ${view} file system, no repository of networks`)
    return stats
  } catch (error) {
    if (error instanceof RepoError) throw error
    if (systemCode(error) === 'ENOENT') throw new RepoError('no-root', `${root} does not exist`, error)
    throw new RepoError('unreadable', `${root} cannot be read`, error)
  }
}

function walk(out: Walk, absolute: string, path: string, above: readonly string[]): void {
  let entries: readonly Dirent[]
  try {
    entries = readdirSync(absolute, { withFileTypes: true })
  } catch (error) {
    if (path === '') throw new RepoError(systemCode(error) === 'ENOENT' ? 'no-root' : 'unreadable', `${absolute} cannot be read`, error)
    // A folder that went away since its parent was listed is simply gone; the next look tells.
    if (systemCode(error) !== 'ENOENT') out.faults.set(path, unreadable(path, 'folder', error))
    return
  }
  out.count(entries.length)
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const childPath = path === '' ? entry.name : `${path}/${entry.name}`
    const child = `${absolute}/${entry.name}`
    if (entry.isDirectory()) enter(out, child, childPath, above)
    else if (entry.isFile() && isYamlName(entry.name)) addFile(out, child, childPath)
    else if (!entry.isFile()) follow(out, child, childPath, above)
  }
}

function enter(out: Walk, absolute: string, path: string, above: readonly string[], stats?: Stats): void {
  try {
    const { dev, ino } = stats ?? statSync(absolute)
    const id = `${dev}:${ino}`
    if (above.includes(id) || above.length > MAX_FOLDERS) out.faults.set(path, loop(path))
    else walk(out, absolute, path, [...above, id])
  } catch (error) {
    if (error instanceof RepoError) throw error
    if (systemCode(error) !== 'ENOENT') out.faults.set(path, unreadable(path, 'folder', error))
  }
}

function addFile(out: Walk, absolute: string, path: string): void {
  try {
    push(out, absolute, path, statSync(absolute))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') out.faults.set(path, unreadable(path, 'file', error))
  }
}

function push(out: Walk, absolute: string, path: string, stats: Stats): void {
  if (!stats.isFile()) {
    out.faults.set(path, { ...unreadable(path, 'file', undefined), message: 'this is no regular file' })
    return
  }
  const { size, mtimeMs, ctimeMs, ino, dev } = stats
  out.files.push({ path, absolute, stamp: { size, mtimeMs, ctimeMs, ino, dev } })
}

/** A symbolic link, or something of a type that the folder does not tell. */
function follow(out: Walk, absolute: string, path: string, above: readonly string[]): void {
  const name = path.slice(path.lastIndexOf('/') + 1)
  try {
    const stats = statSync(absolute)
    if (!stats.isDirectory() && !isYamlName(name)) return
    const real = realpathSync(absolute)
    if (!out.isInside(real)) {
      out.faults.set(path, leadsOut(path))
      return
    }
    out.targets.push(real)
    if (stats.isDirectory()) enter(out, absolute, path, above, stats)
    else push(out, real, path, stats)
  } catch (error) {
    if (error instanceof RepoError) throw error
    // A broken link without a file's ending may have led to a folder full of resources.
    if (!isYamlName(name) && /\.[A-Za-z0-9]+$/.test(name)) return
    out.faults.set(
      path,
      systemCode(error) === 'ELOOP' ? loop(path) : systemCode(error) === 'ENOENT' ? dangling(path) : unreadable(path, 'file', error),
    )
  }
}

function dangling(path: string): Issue {
  const hint = 'restore what it points to, or remove the link'
  return { code: 'E0115', severity: 'error', message: 'the symbolic link leads nowhere', place: { file: path, line: 1, col: 1 }, hint }
}

function loop(path: string): Issue {
  const hint = 'remove the link'
  return { code: 'E0116', severity: 'error', message: 'the symbolic link leads in a circle', place: { file: path, line: 1, col: 1 }, hint }
}

export function unreadable(path: string, what: 'file' | 'folder', cause: unknown): Issue {
  const code = systemCode(cause)
  const hint = code === 'EACCES' || code === 'EPERM' ? 'let the user that runs Netloom read it' : `look at it: ls -l ${path}`
  const message = `the ${what} cannot be read${code === undefined ? '' : ` (${code})`}`
  return { code: 'E0101', severity: 'error', message, place: { file: path, line: 1, col: 1 }, hint }
}
