import { type Stats, statSync } from 'node:fs'
import { StoreError } from './error.ts'

/**
 * Remembers which file the path leads to now. The function that is returned throws `StoreError` (`replaced`) once it leads to another one or to none: SQLite says
 * nothing then (in WAL mode it never looks) and writes on into a file that nobody will open again.
 */
export function pinFile(file: string): () => void {
  const pinned = statSync(file)
  return () => {
    const now = look(file)
    if (now === undefined) throw gone(file, 'was deleted or moved away')
    if (now.ino !== pinned.ino || now.dev !== pinned.dev) throw gone(file, 'was replaced by another file')
  }
}

function look(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return undefined
    throw new StoreError('io', `the state file ${file} cannot be looked at: ${String(error)}`, { cause: error })
  }
}

function gone(file: string, what: string): StoreError {
  return new StoreError(
    'replaced',
    `E0801: the state file ${file} ${what} while this process had it open; nothing more is written, because whatever is would be lost when the process ends`,
  )
}
