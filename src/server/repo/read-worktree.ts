import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import type { Issue } from '../../model/issue.ts'
import type { LoadedFile } from '../../model/resource.ts'
import { systemCode } from './error.ts'
import { loadFiles, type RawFile, type ReadContext, turns } from './load-files.ts'
import { MAX_BYTES, tooLarge } from './parse.ts'
import { type FoundFile, scanFolder, statFiles, unreadable } from './scan.ts'
import { type SeenFile, type Snapshot, type Stamp, sameStamp } from './snapshot.ts'

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
  const { files, fresh } = await readFound(scan.files, context, previous)
  for (const [path, issue] of scan.faults) files.set(path, faulty(path, issue))
  return { snapshot: { files, targets: scan.targets }, fresh }
}

/**
 * Reads only the files at `paths` again and takes the others from `previous`: a cheap first look at what an event named, for a decision that is made
 * on the whole tree later. Undefined when one of the files has gone, or cannot be read: then the whole tree must be looked at.
 */
export async function rereadFiles(
  root: string,
  context: ReadContext,
  previous: Snapshot,
  paths: ReadonlySet<string>,
): Promise<Read | undefined> {
  const found = statFiles(root, paths)
  if (found.length < paths.size) return undefined
  const { files, fresh } = await readFound(found, context, previous)
  if (files.size < paths.size) return undefined
  const same = [...files].every(([path, file]) => previous.files.get(path) === file)
  return { snapshot: same ? previous : { ...previous, files: new Map([...previous.files, ...files]) }, fresh }
}

async function readFound(found: readonly FoundFile[], context: ReadContext, previous: Snapshot | undefined) {
  const now = Date.now()
  const files = new Map<string, SeenFile>()
  const opened: Opened[] = []
  const turn = turns()
  for (const file of found) {
    const old = previous?.files.get(file.path)
    if (old?.stamp !== undefined && sameStamp(old.stamp, file.stamp)) {
      files.set(file.path, old)
      continue
    }
    const bytes = open(file)
    if (bytes instanceof Uint8Array) opened.push(hashed(context, file, bytes, old))
    else if (bytes !== undefined) files.set(file.path, faulty(file.path, bytes))
    await turn()
  }
  const unknown = opened.filter((o) => o.known === undefined).map((o) => o.raw)
  const { byPath, fresh } = await loadFiles(context, unknown)
  for (const { file, raw, known } of opened) {
    const loaded = known ?? byPath.get(file.path)
    const trusted = now - Math.max(file.stamp.mtimeMs, file.stamp.ctimeMs) > GRAIN_MS
    if (loaded !== undefined) files.set(file.path, seen(raw, loaded, blobId(raw.bytes), trusted ? file.stamp : undefined))
  }
  return { files, fresh }
}

interface Opened {
  readonly file: FoundFile
  readonly raw: RawFile
  /** What the same bytes gave before. */
  readonly known: LoadedFile | undefined
}

function hashed(context: ReadContext, file: FoundFile, bytes: Uint8Array, old: SeenFile | undefined): Opened {
  const same = old !== undefined && old.loaded.hash === context.loader.hash(file.path, bytes)
  return { file, raw: { path: file.path, bytes }, known: same ? old.loaded : undefined }
}

export function seen(raw: RawFile, loaded: LoadedFile, blob: string, stamp?: Stamp): SeenFile {
  const { bytes } = raw
  const terminated = bytes.length === 0 || bytes[bytes.length - 1] === 0x0a
  return { path: raw.path, blob, terminated, loaded, ...(stamp === undefined ? {} : { stamp }) }
}

/** What git calls this content (in a repository with SHA-1 ids). */
function blobId(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}

/** The content, what is wrong with the file, or undefined when it is gone by now. */
function open(found: FoundFile): Uint8Array | Issue | undefined {
  if (found.stamp.size > MAX_BYTES) return tooLarge(found.path, found.stamp.size)
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
