import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Connection } from './connection.ts'
import { StoreError } from './error.ts'
import { fence, Lease } from './lease.ts'
import { makePath } from './make-path.ts'
import { migrate, refuseNewer, SCHEMA_VERSION, schemaVersion } from './migrate.ts'
import { pinFile } from './pin.ts'
import { thisProcess } from './process.ts'
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
 * Opens the state file, making it (and its directory, git-ignored when it is `.netloom`) unless access is `read`.
 * Throws `StoreError`: missing, locked, newer-schema, corrupt, io.
 */
export async function openStore(file: string, options: StoreOptions): Promise<Store> {
  if (options.access !== 'read') await makeDirectory(dirname(file))
  else if (!existsSync(file)) throw new StoreError('missing', `there is no state file ${file} yet; netloom plan and netloom apply make it`)
  await prepare(file, options)
  const inPlace = pinFile(file)
  const reader = await Connection.open(file, 'read')
  try {
    const { writer, lease } = await openWriter(file, options, inPlace)
    return new SqliteStore({ file, reader, writer, lease, ...defaults(options) })
  } catch (error) {
    await reader.close()
    throw error
  }
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
  if (options.access === 'read' && (await upToDate(file))) return
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

async function upToDate(file: string): Promise<boolean> {
  const connection = await Connection.open(file, 'read')
  try {
    const found = await schemaVersion(connection)
    refuseNewer(file, found)
    return found === SCHEMA_VERSION
  } finally {
    await connection.close()
  }
}

async function openWriter(
  file: string,
  options: StoreOptions,
  inPlace: () => void,
): Promise<{ writer: Writer | undefined; lease: Lease | undefined }> {
  if (options.access === 'read') return { writer: undefined, lease: undefined }
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
