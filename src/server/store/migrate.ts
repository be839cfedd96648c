import { type Connection, int } from './connection.ts'
import { StoreError } from './error.ts'
import { MIGRATIONS } from './schema.ts'

/** The schema this version of Netloom reads and writes. */
export const SCHEMA_VERSION: number = MIGRATIONS.length

export async function schemaVersion(db: Connection): Promise<number> {
  return int((await db.get('PRAGMA user_version')) ?? {}, 'user_version')
}

/**
 * Brings the file to `SCHEMA_VERSION`, all missing steps in one transaction. Refuses a file of a newer Netloom (`newer-schema`),
 * naming both numbers; such a file is not touched.
 */
export async function migrate(db: Connection): Promise<void> {
  const found = await schemaVersion(db)
  refuseNewer(db.file, found)
  if (found === SCHEMA_VERSION) return
  await db.exec('BEGIN IMMEDIATE')
  try {
    // Asked again under the lock: two processes may open a new file at once.
    const from = await schemaVersion(db)
    refuseNewer(db.file, from)
    for (const step of MIGRATIONS.slice(from)) await db.exec(step)
    await db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
    await db.exec('COMMIT')
  } catch (error) {
    await db.exec('ROLLBACK').catch(() => undefined)
    throw error
  }
}

export function refuseNewer(file: string, found: number): void {
  if (found <= SCHEMA_VERSION) return
  const message = `${file} has schema ${found}; this Netloom knows schemas up to ${SCHEMA_VERSION}. Use the Netloom that wrote it, or a newer one.`
  throw new StoreError('newer-schema', message)
}
