import { existsSync, statSync, writeFileSync } from 'node:fs'
import type { Issue } from '../../model/issue.ts'
import { StoreError } from './error.ts'

/*
 * What tells a state file that was lost from one that never was. SQLite makes a file of 0 bytes first and its content later, so that a crash in the very first start
 * leaves one; and a server's key may be there before any state is. Two things cannot be there before a state file had content: the mark that a commit leaves beside it,
 * and a write-ahead log that is not empty.
 */

const MARK =
  'A revision was committed into the state file beside this one: while this is here, an empty state file is refused, and a missing one is told.\n'

const SMALLEST_PAGE = 512

/** Beside the file, as SQLite's own `-wal` and `-shm` are, so that whoever moves or removes them all takes it along. */
function markOf(file: string): string {
  return `${file}-held`
}

/** Called once a revision is in the file. A mark that cannot be written is left out: it protects a file, and may not keep it from being used. */
export function markHeld(file: string): void {
  try {
    writeFileSync(markOf(file), MARK, { flag: 'wx', mode: 0o644 })
  } catch {
    return
  }
}

/** Throws `StoreError` (`emptied`) for a file of 0 bytes that had content. To be asked before SQLite sees it, which deletes the log of such a file. */
export function refuseEmptied(file: string): void {
  if (sizeOf(file) !== 0) return
  const marked = existsSync(markOf(file))
  if (!marked && sizeOf(`${file}-wal`) <= 0) return
  const why = marked ? `${markOf(file)} says that a revision was committed into it` : `its write-ahead log ${file}-wal has content`
  throw new StoreError('emptied', `E0810: the state file ${file} is empty, and was not: ${why}`)
}

/** Why there is nothing to read at the path: no file, or one without a schema. */
export function nothingThere(file: string): StoreError {
  const size = sizeOf(file)
  // SQLite reads less than its smallest page as an empty database.
  if (size > 0 && size < SMALLEST_PAGE) return new StoreError('corrupt', `reading ${file}: ${size} bytes are no database`)
  return existsSync(markOf(file))
    ? new StoreError('lost', `the state file ${file} is gone: ${markOf(file)} says that a revision was committed into it`)
    : new StoreError('missing', `there is no state file ${file} yet; netloom plan and netloom apply make it`)
}

/** Told by what may choose addresses and numbers, while the file holds no revision (`revision` is 0) and once did. */
export function forgotten(file: string, revision: number): Issue | undefined {
  if (revision > 0 || !existsSync(markOf(file))) return undefined
  return {
    code: 'W0810',
    severity: 'warning',
    message: `the state file ${file} holds no revision, and ${markOf(file)} says that it did: what was allocated is forgotten, and is chosen anew`,
    hint: 'put a backup in its place; without one, let `netloom serve` make the first revision: it asks the hosts what they hold and takes that over',
  }
}

/** -1: there is none. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1
}
