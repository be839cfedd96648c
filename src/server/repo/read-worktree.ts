import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import type { Issue } from '../../model/issue.ts'
import type { LoadedFile } from '../../model/resource.ts'
import { systemCode } from './error.ts'
import { loadFiles, type RawFile, type ReadContext } from './load-files.ts'
import { MAX_BYTES, tooLarge } from './parse.ts'
import { type FoundFile, scanFolder, unreadable } from './scan.ts'
import type { SeenFile, Snapshot } from './snapshot.ts'

export interface Read {
  readonly snapshot: Snapshot
  /** Files that no cache knew. */
  readonly fresh: readonly LoadedFile[]
}

/** Below this age a stamp proves nothing: two writes within the clock's grain (up to 2 s on some file systems) look alike. */
const GRAIN_MS = 2000

/**
 * Reads the YAML files below `root`. Files whose stamp is what `previous` saw are not opened; files whose content is what it was are not parsed. A file
 * that cannot be read is there, with an issue. Throws `RepoError` when the root itself cannot be read.
 */
export async function readWorktree(root: string, context: ReadContext, previous?: Snapshot): Promise<Read> {
  const scan = scanFolder(root)
  const now = Date.now()
  const files = new Map<string, SeenFile>()
  const opened: { readonly found: FoundFile; readonly raw: RawFile }[] = []
  for (const found of scan.files) {
    const old = previous?.files.get(found.path)
    if (old?.stamp === found.stamp) files.set(found.path, old)
    else {
      const raw = open(found)
      if (raw instanceof Uint8Array) opened.push({ found, raw: { path: found.path, bytes: raw } })
      else if (raw !== undefined) files.set(found.path, faulty(found.path, raw))
    }
  }
  for (const [path, issue] of scan.faults) files.set(path, faulty(path, issue))
  const unchanged = (raw: RawFile) => {
    const old = previous?.files.get(raw.path)?.loaded
    return old?.hash === context.loader.hash(raw.path, raw.bytes) ? old : undefined
  }
  const { byPath, fresh } = await loadFiles(
    context,
    opened.map((o) => o.raw).filter((raw) => unchanged(raw) === undefined),
  )
  for (const { found, raw } of opened) {
    const loaded = unchanged(raw) ?? byPath.get(found.path)
    const trusted = now - found.changedAt > GRAIN_MS
    if (loaded !== undefined) files.set(found.path, seen(raw, loaded, trusted ? found.stamp : undefined))
  }
  return { snapshot: { files, targets: scan.targets }, fresh }
}

export function seen(raw: RawFile, loaded: LoadedFile, stamp: string | undefined): SeenFile {
  const { bytes } = raw
  const terminated = bytes.length === 0 || bytes[bytes.length - 1] === 0x0a
  return { path: raw.path, blob: blobId(bytes), terminated, loaded, ...(stamp === undefined ? {} : { stamp }) }
}

/** What git calls this content (in a repository with SHA-1 ids). */
function blobId(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}

/** The content, what is wrong with the file, or undefined when it is gone by now. */
function open(found: FoundFile): Uint8Array | Issue | undefined {
  if (found.size > MAX_BYTES) return tooLarge(found.path, found.size)
  try {
    // Non-blocking: should the name have become a pipe since it was listed, opening it must not wait for a writer.
    const file = openSync(found.absolute, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      return fstatSync(file).isFile() ? readFileSync(file) : unreadable(found.path, 'file', undefined)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : unreadable(found.path, 'file', error)
  }
}

/** A file that is there and cannot be read: never the same as a file that is gone. */
export function faulty(path: string, issue: Issue): SeenFile {
  const hash = createHash('sha256').update(`${issue.code}\0${path}\0${issue.message}`).digest('hex')
  return { path, terminated: true, loaded: { path, hash, entries: [], issues: [issue] } }
}
