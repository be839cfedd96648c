import type { JsonObject } from '../../model/brand.ts'
import type { Place } from '../../model/issue.ts'
import { compareText, type Key, keyParts } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { Change, Plan } from '../plan/types.ts'
import { bulk, PAGE, tuples } from './bulk.ts'
import { intOr, type Row, type Sql, text, textOr } from './connection.ts'
import type { ResourceRow } from './types.ts'

/**
 * The resources of one revision in pages sorted by key. The next page is read while the caller works on this one.
 * Rows of a revision never change once committed, so a walk needs no transaction.
 */
export async function* readResources(sql: Sql, revision: number): AsyncGenerator<readonly ResourceRow[]> {
  const pages = readPages<StoredRow>(sql, revision, 'key, from_rev, json(declared), json(resolved), file, line, col')
  for await (const rows of pages) yield rows.map(decode)
}

/** What was declared alone, in the same way. */
export async function* readDeclared(sql: Sql, revision: number): AsyncGenerator<readonly Declared[]> {
  const pages = readPages<readonly [Key, Spec]>(sql, revision, 'key, json(declared)')
  for await (const rows of pages) yield rows.map(([key, declared]) => ({ key, ...keyParts(key), ...declared }))
}

/** One resource of a revision, with the place where it stood in it. */
export async function readRow(sql: Sql, key: Key, revision: number): Promise<ResourceRow | undefined> {
  const rows = await tuples<StoredRow>(
    sql,
    'key, from_rev, json(declared), json(resolved), file, line, col',
    'SELECT * FROM resources WHERE key = ? AND from_rev <= ? AND (to_rev IS NULL OR to_rev > ?)',
    key,
    revision,
    revision,
  )
  return rows.map(decode)[0]
}

/** Resources that are no more, and the revision that took each away. */
export async function readFormerKeys(sql: Sql): Promise<ReadonlyMap<Key, number>> {
  const rows = await sql.all('SELECT key, max(to_rev) AS gone FROM resources GROUP BY key HAVING count(*) = count(to_rev)')
  return new Map(rows.map((row) => [text(row, 'key') as Key, intOr(row, 'gone') ?? 0]))
}

/** The resolved value of each of these as it last was, in whatever revision; nothing for one that never was. */
export async function readLastSpecs(sql: Sql, keys: readonly Key[]): Promise<ReadonlyMap<Key, JsonObject>> {
  const rows = await sql.all(
    `SELECT r.key, json(r.resolved) AS resolved FROM json_each(?) AS j JOIN resources AS r ON r.key = j.value
     WHERE r.from_rev = (SELECT max(x.from_rev) FROM resources AS x WHERE x.key = r.key)`,
    JSON.stringify(keys),
  )
  return new Map(rows.map((row) => [text(row, 'key') as Key, (JSON.parse(text(row, 'resolved')) as Spec).spec]))
}

async function* readPages<T extends readonly [Key, ...unknown[]]>(sql: Sql, revision: number, cells: string): AsyncGenerator<readonly T[]> {
  const page = (after: string): Promise<readonly T[]> =>
    tuples<T>(
      sql,
      cells,
      `SELECT * FROM resources WHERE key > ? AND from_rev <= ? AND (to_rev IS NULL OR to_rev > ?) ORDER BY key LIMIT ${PAGE}`,
      after,
      revision,
      revision,
    )
  let pending = page('')
  try {
    for (;;) {
      const rows = await pending
      const last = rows.at(-1)
      if (last === undefined) return
      const more = rows.length === PAGE
      if (more) pending = page(last[0])
      yield rows
      if (!more) return
    }
  } finally {
    // A caller that stops early must not leave a read under way on a handle that may be closed next.
    await pending.catch(() => undefined)
  }
}

type Spec = { readonly spec: JsonObject }
type StoredRow = readonly [Key, number, Spec, Spec & { readonly id: string }, string | null, number | null, number | null]

/**
 * Ends the rows of everything the plan changes, and writes the new ones as of `revision`. Costs what the plan changes, not what exists.
 * A change that only follows from another keeps what was declared; a declaration that resolves to the same keeps what was resolved.
 */
export async function writeResources(tx: Sql, plan: Plan, revision: number, places: ReadonlyMap<Key, Place>): Promise<void> {
  const touched = new Map<Key, Touched>()
  for (const key of plan.ops.del) touched.set(key, { gone: true })
  for (const declared of plan.ops.set) touched.set(declared.key, { declared })
  for (const change of plan.changes) touched.set(change.key, { ...touched.get(change.key), change })
  const keys = [...touched.keys()].sort(compareText)
  const before = plan.base === 0 ? new Map<Key, NewRow>() : await endRows(tx, keys, revision)
  const staying = keys.filter((key) => !isGone(touched.get(key) ?? {}))
  await bulk(
    tx,
    `INSERT INTO resources (key, from_rev, declared, resolved, file, line, col)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?)`,
    staying,
    (key) => {
      const { declared, resolved, place } = nextRow(key, touched.get(key) ?? {}, before.get(key), places.get(key))
      return [key, revision, declared, resolved, place?.file ?? null, place?.line ?? null, place?.col ?? null]
    },
  )
}

interface Touched {
  readonly gone?: boolean
  readonly declared?: Declared
  readonly change?: Change
}

interface NewRow {
  readonly declared: string
  readonly resolved: string
  readonly place: Place | undefined
}

function isGone(touched: Touched): boolean {
  return touched.gone === true || touched.change?.action === 'delete'
}

function nextRow(key: Key, touched: Touched, before: NewRow | undefined, place: Place | undefined): NewRow {
  const { change } = touched
  const declared = touched.declared === undefined ? before?.declared : encode(touched.declared)
  const resolved = change?.after === undefined ? before?.resolved : encode(change.after)
  if (declared === undefined) throw new Error(`${key} would be stored without its declaration`)
  if (resolved === undefined) throw new Error(`${key} would be stored without its resolved value`)
  return { declared, resolved, place: place ?? change?.place ?? before?.place }
}

/** Ends the current rows of these keys and returns what they held. */
async function endRows(tx: Sql, keys: readonly Key[], revision: number): Promise<ReadonlyMap<Key, NewRow>> {
  const found = new Map<Key, NewRow>()
  for (let from = 0; from < keys.length; from += PAGE) {
    const list = JSON.stringify(keys.slice(from, from + PAGE))
    const rows = await tx.all(
      `SELECT r.key, r.declared, r.resolved, r.file, r.line, r.col FROM json_each(?) AS j JOIN resources AS r ON r.key = j.value
       WHERE r.to_rev IS NULL`,
      list,
    )
    for (const row of rows) {
      found.set(text(row, 'key') as Key, { declared: text(row, 'declared'), resolved: text(row, 'resolved'), place: decodePlace(row) })
    }
    const end = 'UPDATE resources SET to_rev = ? FROM json_each(?) AS j WHERE resources.to_rev IS NULL AND resources.key = j.value'
    await tx.run(end, revision, list)
  }
  return found
}

/** Everything of the value except what its key says already. */
function encode(value: Declared | Resource): string {
  const { key, kind, project, name, ...rest } = value
  const parts = keyParts(key)
  if (parts.kind !== kind || parts.project !== project || parts.name !== name)
    throw new Error(`the key ${key} belies ${kind}/${project}/${name}`)
  return JSON.stringify(rest)
}

function decode([key, fromRev, declared, resolved, file, line, col]: StoredRow): ResourceRow {
  const identity = { key, ...keyParts(key) }
  const row = { declared: { ...identity, ...declared }, resource: { ...identity, ...resolved }, fromRev }
  return file === null ? row : { ...row, place: { file, line: line ?? 1, col: col ?? 1 } }
}

function decodePlace(row: Row): Place | undefined {
  const file = textOr(row, 'file')
  return file === undefined ? undefined : { file, line: intOr(row, 'line') ?? 1, col: intOr(row, 'col') ?? 1 }
}
