import { type FSWatcher as NodeWatcher, type Stats, watch as watchNode } from 'node:fs'
import { basename, dirname, resolve, sep } from 'node:path'
import { type FSWatcher, watch as watchFiles } from 'chokidar'
import { systemCode } from './error.ts'
import { isYamlName } from './scan.ts'

/** Tells that something may have changed, never what: events get lost, doubled and reordered, so everything is read again. */
/** `path`: relative to the root, of a file that changed in place; undefined when anything may have changed. */
export type Wake = (path?: string) => void

export interface Waker {
  /** Undefined while events work; else why they do not, and looks must come from a clock. */
  readonly polling: () => string | undefined
  /** Adds paths outside the folder that symbolic links lead to. */
  readonly follow: (targets: readonly string[]) => void
  readonly close: () => Promise<void>
}

/** Errors that mean "the system gives no more watches": trying on would only fail again. */
const NO_MORE_WATCHES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOSPC', 'ENOMEM'])

/**
 * Calls `wake`, with the path if it is one below the root, whenever something below `root` may have changed, when the root itself is replaced, and when one of `extra` (git's HEAD and refs)
 * changes. The first call comes once watching has begun: what changed before it is seen by the look that follows.
 */
export function createWaker(root: string, extra: readonly string[], wake: Wake, watch: typeof watchFiles = watchFiles): Waker {
  let trouble: string | undefined
  const below = `${root}${sep}`
  const followed = new Set<string>()
  const onError = (error: unknown) => {
    const code = systemCode(error)
    if (code !== undefined && NO_MORE_WATCHES.has(code)) {
      trouble ??= `the system gives no more file watches (${code}): looking once a second instead`
      // Closing frees the watches that were had; its end is awaited by `close`.
      closing ??= Promise.all(watchers.map((w) => w.close()))
    }
    wake()
  }
  // What the system says at once, before chokidar has looked at the file itself.
  const rawEvent = (event: string, name: unknown, details: unknown) => {
    const watched = watchedPath(details)
    if (typeof name !== 'string' || !isYamlName(name) || watched === undefined) return
    const path = basename(watched) === name ? watched : `${watched}${sep}${name}`
    wake(event === 'change' && path.startsWith(below) ? path.slice(below.length) : undefined)
  }
  const start = (paths: readonly string[], ignored: (path: string, stats?: Stats) => boolean) =>
    watch([...paths], { ignored, ignoreInitial: true, followSymlinks: false, atomic: false, ignorePermissionErrors: true })
      .on('all', (event, path) => wake(event === 'change' && path.startsWith(below) ? path.slice(below.length) : undefined))
      .on('raw', (event, name, details) => rawEvent(event, name, details))
      .on('ready', () => wake())
      .on('error', onError)
  const watchers: FSWatcher[] = [start([root], (path, stats) => isBeside(root, path, stats))]
  if (extra.length > 0) watchers.push(start(extra, (path) => path.endsWith('.lock')))
  let closing: Promise<unknown> | undefined
  const parent = watchParent(root, wake)
  return {
    polling: () => trouble,
    follow: (targets) => {
      const added = targets.filter((t) => !followed.has(t) && !`${t}${sep}`.startsWith(`${resolve(root)}${sep}`))
      for (const target of added) followed.add(target)
      if (added.length > 0 && trouble === undefined) watchers[0]?.add(added)
    },
    close: async () => {
      parent?.close()
      await (closing ?? Promise.all(watchers.map((w) => w.close())))
    },
  }
}

function watchedPath(details: unknown): string | undefined {
  const path: unknown = details !== null && typeof details === 'object' && 'watchedPath' in details ? details.watchedPath : undefined
  return typeof path === 'string' ? path : undefined
}

/** What no look would read. Links stay in: `..data`, as Kubernetes mounts it, is how whole trees are swapped. */
function isBeside(root: string, path: string, stats: Stats | undefined): boolean {
  if (path === root) return false
  const name = basename(path)
  if (name === '.git') return true
  if (stats === undefined || stats.isSymbolicLink()) return false
  return stats.isDirectory() ? name.startsWith('.') : !isYamlName(name)
}

/** A root that is renamed away and replaced gives no event of its own. Where the parent cannot be watched, the periodic look remains. */
function watchParent(root: string, wake: Wake): NodeWatcher | undefined {
  try {
    const name = basename(resolve(root))
    const watcher = watchNode(dirname(resolve(root)), { persistent: false }, (_, changed) => {
      if (changed === null || changed === name) wake()
    })
    return watcher.on('error', () => watcher.close())
  } catch {
    return undefined
  }
}
