import type { LoadedFile } from '../../model/resource.ts'

/** What the file system says of a file. Equal stamps mean equal content, unless it was written again within the clock's grain. */
export interface Stamp {
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly ino: number
  readonly dev: number
}

export function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.size === b.size && a.ino === b.ino && a.dev === b.dev
}

/** One file as it was read. */
export interface SeenFile {
  readonly path: string
  /** What told us that it need not be read again; undefined: read it next time. */
  readonly stamp?: Stamp
  /** Id that git gives this content; undefined for what could not be read, and for what a symbolic link leads to. */
  readonly blob?: string
  /** Ends with a line end (or is empty); an editor in the middle of writing mostly does not. */
  readonly terminated: boolean
  readonly loaded: LoadedFile
}

/** All files of the repo as one look found them. Immutable. */
export interface Snapshot {
  readonly files: ReadonlyMap<string, SeenFile>
  /** The commit it was read from; undefined for a worktree. */
  readonly commit?: string
  /** Real paths behind symbolic links: what else must be watched. */
  readonly targets: readonly string[]
}

export interface SnapshotDiff {
  readonly changed: readonly SeenFile[]
  readonly removed: readonly string[]
}

/** What differs by content; without `before`, everything is new. */
export function diffSnapshots(before: Snapshot | undefined, after: Snapshot): SnapshotDiff {
  const changed: SeenFile[] = []
  for (const [path, file] of after.files) {
    const old = before?.files.get(path)
    if (old === undefined || (old !== file && old.loaded.hash !== file.loaded.hash)) changed.push(file)
  }
  const removed: string[] = []
  for (const path of before?.files.keys() ?? []) if (!after.files.has(path)) removed.push(path)
  return { changed, removed }
}
