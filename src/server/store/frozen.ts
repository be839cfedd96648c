import { type Stats, statSync } from 'node:fs'
import { StoreError } from './error.ts'

/**
 * SQLite cannot read a file in WAL mode where it can make no `-shm` beside it (a full disk, a folder of another user), unless it is told that nobody will write the
 * file. Whatever is written goes to the log first, and into the file only later: as long as the log is empty and the file is as it was, it can be read as it stands.
 * Both are looked at after every statement, before its rows are used.
 */
export function canBeFrozen(file: string): boolean {
  return (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0
}

/** The function that is returned throws `StoreError` (`changed`) once anybody may have written the file since. */
export function pinUnchanged(file: string): () => void {
  const before = statSync(file)
  return () => {
    const now = statSync(file, { throwIfNoEntry: false })
    if (now !== undefined && isSame(before, now) && canBeFrozen(file)) return
    throw new StoreError('changed', `the state file ${file} was opened by another process while it was read`)
  }
}

function isSame(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeMs === b.mtimeMs
}
