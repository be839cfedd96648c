import type { Issue } from '../../model/issue.ts'
import type { LoadedEntry, LoadedFile } from '../../model/resource.ts'
import { bulk, PAGE } from './bulk.ts'
import { blob, int, type Sql, text } from './connection.ts'
import { pack, unpack } from './pack.ts'

/** Entries per piece: a file of 100,000 ports is read back in steps of a few milliseconds each. */
const PIECE = 250

/** Pieces per read. */
const PIECES = 8

/**
 * The parsed files among `hashes` that this `version` of the reader has written. Content alone decides: a file found under another path
 * than the one asked about comes back with the path it was parsed under.
 */
export async function readFiles(sql: Sql, hashes: readonly string[], version: string): Promise<ReadonlyMap<string, LoadedFile>> {
  const found = new Map<string, LoadedFile & { readonly entries: LoadedEntry[] }>()
  const pieces: (readonly [string, number])[] = []
  for (let i = 0; i < hashes.length; i += PAGE) {
    const rows = await sql.all(
      'SELECT f.hash, f.path, f.issues, f.pieces FROM json_each(?) AS j JOIN files AS f ON f.hash = j.value WHERE f.version = ?',
      JSON.stringify(hashes.slice(i, i + PAGE)),
      version,
    )
    for (const row of rows) {
      const hash = text(row, 'hash')
      if (found.has(hash)) continue
      found.set(hash, { path: text(row, 'path'), hash, entries: [], issues: JSON.parse(text(row, 'issues')) as readonly Issue[] })
      for (let seq = 0; seq < int(row, 'pieces'); seq++) pieces.push([hash, seq])
    }
  }
  for (let i = 0; i < pieces.length; i += PIECES) {
    const rows = await sql.all(
      `SELECT p.hash, p.entries FROM json_each(?) AS j JOIN file_pieces AS p ON p.hash = j.value ->> 0 AND p.seq = j.value ->> 1
       ORDER BY j.key`,
      JSON.stringify(pieces.slice(i, i + PIECES)),
    )
    const unpacked = await Promise.all(rows.map((row) => unpack(blob(row, 'entries'))))
    rows.forEach((row, at) => {
      found.get(text(row, 'hash'))?.entries.push(...(unpacked[at] as LoadedEntry[]))
    })
  }
  return found
}

/** Remembers parsed files; a file known under the same hash is replaced. */
export async function writeFiles(tx: Sql, files: readonly LoadedFile[], version: string): Promise<void> {
  const distinct = [...new Map(files.map((f) => [f.hash, f])).values()]
  await bulk(tx, 'DELETE FROM files WHERE hash IN (SELECT value ->> 0 FROM json_each(?))', distinct, (f) => [f.hash])
  await bulk(
    tx,
    `INSERT INTO files (hash, version, path, issues, pieces)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)`,
    distinct,
    (f) => [f.hash, version, f.path, JSON.stringify(f.issues), Math.ceil(f.entries.length / PIECE)],
  )
  for (const file of distinct) {
    for (let i = 0; i * PIECE < file.entries.length; i++) {
      const entries = await pack(file.entries.slice(i * PIECE, (i + 1) * PIECE))
      await tx.run('INSERT INTO file_pieces (hash, seq, entries) VALUES (?, ?, ?)', file.hash, i, entries)
    }
  }
}

/** Drops what another version of the reader wrote and, where `live` is given, every file that is not in it. */
export async function purgeFiles(tx: Sql, version: string, live?: readonly string[]): Promise<void> {
  await tx.run('DELETE FROM files WHERE version <> ?', version)
  if (live !== undefined) await tx.run('DELETE FROM files WHERE hash NOT IN (SELECT value FROM json_each(?))', JSON.stringify(live))
}
