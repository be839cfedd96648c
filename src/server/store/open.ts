import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Connection } from './connection.ts'
import { StoreError } from './error.ts'
import { canBeFrozen } from './frozen.ts'
import { markHeld, nothingThere, refuseEmptied } from './held.ts'
import { fence, Lease } from './lease.ts'
import { makePath } from './make-path.ts'
import { migrate, refuseNewer, SCHEMA_VERSION, schemaVersion } from './migrate.ts'
import { pinFile } from './pin.ts'
import { thisProcess } from './process.ts'
import { currentNumber } from './revisions.ts'
import { checkRights } from './rights.ts'
import { SqliteStore } from './store.ts'
import type { Store } from './types.ts'
import { type FailPoint, Writer } from './writer.ts'

export interface StoreOptions {
  /**
   * `read`: cannot write, needs no lease. `plan`: may save plans and parsed files beside a running server, never a revision.
   * `write`: holds the lease (else `locked`, saying who does); one process at a time.
   */
  readonly access: 'read' | 'plan' | 'write'
  /** Names what turns bytes into `LoadedFile` (version, schemas, plugins): files parsed by anything else are not in the cache. */
  readonly readerVersion?: string
  /** Milliseconds since the epoch. */
  readonly clock?: () => number
  /** The heartbeat could not be written. `locked` and `replaced` are for good: every later write is refused. Called again with every heartbeat. */
  readonly onLeaseLost?: (error: unknown) => void
  /** Tests only: ends the process at a named step of a commit. */
  readonly failPoint?: FailPoint
}

/**
 * Opens the state file, making it (and its directory, git-ignored when it is `.netloom`) unless access is `read`, which writes nothing that stays.
 * Throws `StoreError`: missing, lost, emptied, denied, locked, newer-schema, corrupt, changed, io.
 */
export async function openStore(file: string, options: StoreOptions): Promise<Store> {
  if (options.access === 'read') return await openToRead(file, options)
  if (!existsSync(file)) await makeDirectory(dirname(file))
  checkRights(file, 'write')
  refuseEmptied(file)
  await prepare(file, options)
  const inPlace = pinFile(file)
  const reader = await Connection.open(file, 'read')
  try {
    const { writer, lease } = await openWriter(file, options, inPlace)
    // Of a release before there were marks.
    if (lease !== undefined && (await currentNumber(reader)) > 0) markHeld(file)
    return new SqliteStore({ file, mode: 'read', reader, writer, lease, ...defaults(options) })
  } catch (error) {
    await reader.close()
    throw error
  }
}

async function openToRead(file: string, options: StoreOptions): Promise<Store> {
  checkRights(file, 'read')
  refuseEmptied(file)
  if (!existsSync(file)) throw nothingThere(file)
  const { reader, mode } = await openReader(file)
  try {
    const found = await schemaVersion(reader)
    refuseNewer(file, found)
    // What SQLite, or a plan that was interrupted, had only begun to make.
    if (found === 0) throw nothingThere(file)
    if (found === SCHEMA_VERSION) return new SqliteStore({ file, mode, reader, writer: undefined, lease: undefined, ...defaults(options) })
  } catch (error) {
    await reader.close()
    throw error
  }
  await reader.close()
  checkRights(file, 'write')
  await prepare(file, options)
  return await openToRead(file, options)
}

/** As SQLite means it to be read; where it cannot be, as it stands. */
async function openReader(file: string): Promise<{ readonly reader: Connection; readonly mode: 'read' | 'frozen' }> {
  let reader: Connection | undefined
  try {
    reader = await Connection.open(file, 'read')
    await schemaVersion(reader)
    return { reader, mode: 'read' }
  } catch (error) {
    await reader?.close()
    const passing = error instanceof StoreError && (error.code === 'io' || error.code === 'full')
    if (!passing || !canBeFrozen(file)) throw error
  }
  return { reader: await Connection.open(file, 'frozen'), mode: 'frozen' }
}

function defaults(options: StoreOptions): { clock: () => number; readerVersion: string; failPoint: FailPoint } {
  return { clock: options.clock ?? Date.now, readerVersion: options.readerVersion ?? '', failPoint: options.failPoint ?? (() => undefined) }
}

/** A state file in a `.netloom` folder inside the repo must never be committed by `git add .`. */
async function makeDirectory(directory: string): Promise<void> {
  await makePath(directory)
  if (basename(directory) !== '.netloom') return
  const ignore = join(directory, '.gitignore')
  if (!existsSync(ignore)) await writeFile(ignore, '*\n')
}

/**
 * Brings the schema up to date. A file that already holds something is only changed under the lease: a server of the older version may be
 * running on it.
 */
async function prepare(file: string, options: StoreOptions): Promise<void> {
  const connection = await Connection.open(file, 'write')
  const writer = new Writer(connection)
  try {
    await connection.exec('PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 67108864')
    const found = await schemaVersion(connection)
    refuseNewer(file, found)
    if (found === 0) await migrate(connection)
    if (found === 0 || found === SCHEMA_VERSION) return
    const lease = await Lease.acquire(writer, thisProcess(), { clock: defaults(options).clock, onLost: () => undefined })
    await migrate(connection).finally(() => lease.release())
  } finally {
    await writer.close()
  }
}

async function openWriter(file: string, options: StoreOptions, inPlace: () => void): Promise<{ writer: Writer; lease: Lease | undefined }> {
  const connection = await Connection.open(file, 'write')
  const plain = new Writer(connection)
  // A bound for a writer that is never idle (16,000 pages of 8 kB); otherwise the writer chooses the moment.
  await connection.exec('PRAGMA wal_autocheckpoint = 16000')
  if (options.access === 'plan') return { writer: plain, lease: undefined }
  const { clock } = defaults(options)
  try {
    const lease = await Lease.acquire(plain, thisProcess(), {
      clock,
      onLost: options.onLeaseLost ?? (() => undefined),
    })
    plain.guard(fence(lease.fencing, { clock, inPlace }))
    return { writer: plain, lease }
  } catch (error) {
    await plain.close()
    throw error
  }
}
