/**
 * What can go wrong with the state file.
 * busy: another process kept the write lock too long · corrupt: not a sound database · full: no space, or the disk is read-only ·
 * newer-schema: written by a newer Netloom · stale: the plan's base is no longer the current revision · locked: another process holds the
 * lease, or took it from us · replaced: the path leads to another file than the one that is open, or to none · missing: there is no state file yet · lost: there was one ·
 * emptied: of 0 bytes, and it had content · denied: this user may not · changed: a file that could only be read as it stands was written meanwhile ·
 * io: everything else between us and the disk.
 */
export type StoreErrorCode =
  | 'busy'
  | 'corrupt'
  | 'full'
  | 'newer-schema'
  | 'stale'
  | 'locked'
  | 'replaced'
  | 'missing'
  | 'lost'
  | 'emptied'
  | 'denied'
  | 'changed'
  | 'io'

export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}

/** SQLite's primary result codes, as node-sqlite3 names them in `err.code`. */
const CODES: Readonly<Record<string, StoreErrorCode>> = {
  SQLITE_BUSY: 'busy',
  SQLITE_LOCKED: 'busy',
  SQLITE_CORRUPT: 'corrupt',
  SQLITE_NOTADB: 'corrupt',
  SQLITE_FULL: 'full',
  SQLITE_READONLY: 'full',
}

/** Wraps SQLite's error. `doing` is what was attempted, for people: `opening /srv/net/.netloom/state.db`. */
export function fromSqlite(error: unknown, doing: string): StoreError {
  if (error instanceof StoreError) return error
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const text = error instanceof Error ? error.message : String(error)
  return new StoreError(CODES[code] ?? 'io', `${doing}: ${text}`, { cause: error })
}
