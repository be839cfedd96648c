import type { JsonObject } from '../../model/brand.ts'
import type { Place } from '../../model/issue.ts'
import { type Key, keyParts } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { Change, Plan } from '../plan/types.ts'
import { forKeys, insertRows, PAGE } from './bulk.ts'
import { int, intOr, type Row, type Sql, text, textOr } from './connection.ts'
import type { ResourceRow } from './types.ts'

/**
 * The resources of one revision in pages sorted by key. The next page is read while the caller works on this one.
 * Rows of a revision never change once committed, so a walk needs no transaction.
 */
export async function* readResources(sql: Sql, revision: number): AsyncGenerator<readonly ResourceRow[]> {
  let pending = page(sql, revision, '')
  try {
    for (;;) {
      const rows = await pending
      const last = rows.at(-1)
      if (last === undefined) return
      const more = rows.length === PAGE
      if (more) pending = page(sql, revision, text(last, 'key'))
      yield rows.map(decode)
      if (!more) return
    }
  } finally {
    // A caller that stops early must not leave a read under way on a handle that may be closed next.
    await pending.catch(() => undefined)
  }
}

async function page(sql: Sql, revision: number, after: string): Promise<readonly Row[]> {
  return sql.all(
    `SELECT key, from_rev, declared, resolved, file, line, col FROM resources
     WHERE key > ? AND from_rev <= ? AND (to_rev IS NULL OR to_rev > ?) ORDER BY key LIMIT ${PAGE}`,
    after,
    revision,
    revision,
  )
}

/** Ends the rows of everything the plan changes, and writes the new ones as of `revision`. Costs what the plan changes, not what exists. */
export async function writeResources(tx: Sql, plan: Plan, revision: number, places: ReadonlyMap<Key, Place>): Promise<void> {
  const declared = new Map(plan.ops.set.map((d) => [d.key, d]))
  const changed = new Set(plan.changes.map((c) => c.key))
  const gone = new Set(plan.ops.del)
  const ended = new Set([...changed, ...declared.keys(), ...gone])
  // A change that only follows from another keeps what was declared; a declaration that resolves to the same keeps what was resolved.
  const kept = await currentRows(
    tx,
    [...ended].filter((key) => !gone.has(key) && !(changed.has(key) && declared.has(key))),
  )
  await forKeys(
    tx,
    `UPDATE resources SET to_rev = ${revision} FROM json_each(?) AS j WHERE resources.to_rev IS NULL AND resources.key = j.value`,
    [...ended],
  )
  const next = new Map<Key, NewRow>()
  for (const [key, row] of kept) next.set(key, row)
  for (const change of plan.changes) if (change.after !== undefined) next.set(change.key, merge(next.get(change.key), change))
  for (const [key, value] of declared) next.set(key, { ...next.get(key), declared: encode(value) })
  for (const [key, place] of places) {
    const row = next.get(key)
    if (row !== undefined) next.set(key, { ...row, place })
  }
  await insertNew(tx, next, revision)
}

interface NewRow {
  readonly declared?: string
  readonly resolved?: string
  readonly place?: Place
}

function merge(row: NewRow | undefined, change: Change): NewRow {
  const place = change.place ?? row?.place
  return { ...row, ...(change.after === undefined ? {} : { resolved: encode(change.after) }), ...(place === undefined ? {} : { place }) }
}

async function currentRows(tx: Sql, keys: readonly Key[]): Promise<Map<Key, NewRow>> {
  const found = new Map<Key, NewRow>()
  for (let i = 0; i < keys.length; i += PAGE) {
    const rows = await tx.all(
      `SELECT r.key, r.declared, r.resolved, r.file, r.line, r.col FROM json_each(?) AS j JOIN resources AS r ON r.key = j.value
       WHERE r.to_rev IS NULL`,
      JSON.stringify(keys.slice(i, i + PAGE)),
    )
    for (const row of rows) {
      const place = decodePlace(row)
      const base = { declared: text(row, 'declared'), resolved: text(row, 'resolved') }
      found.set(text(row, 'key') as Key, place === undefined ? base : { ...base, place })
    }
  }
  return found
}

async function insertNew(tx: Sql, rows: ReadonlyMap<Key, NewRow>, revision: number): Promise<void> {
  const sorted = [...rows.keys()].sort()
  await insertRows(tx, 'INSERT INTO resources (key, from_rev, declared, resolved, file, line, col)', sorted, (key) => {
    const { declared, resolved, place } = rows.get(key) ?? {}
    if (declared === undefined || resolved === undefined) {
      throw new Error(`${key} would be stored without its ${declared === undefined ? 'declaration' : 'resolved value'}`)
    }
    return [key, revision, declared, resolved, place?.file ?? null, place?.line ?? null, place?.col ?? null]
  })
}

/** Everything of the value except what its key says already. */
function encode(value: Declared | Resource): string {
  const { key, kind, project, name, ...rest } = value
  const parts = keyParts(key)
  if (parts.kind !== kind || parts.project !== project || parts.name !== name)
    throw new Error(`the key ${key} belies ${kind}/${project}/${name}`)
  return JSON.stringify(rest)
}

function decode(row: Row): ResourceRow {
  const key = text(row, 'key') as Key
  const identity = { key, ...keyParts(key) }
  const place = decodePlace(row)
  const declared = JSON.parse(text(row, 'declared')) as { readonly spec: JsonObject }
  const resource = JSON.parse(text(row, 'resolved')) as { readonly id: string; readonly spec: JsonObject }
  const base = { declared: { ...identity, ...declared }, resource: { ...identity, ...resource }, fromRev: int(row, 'from_rev') }
  return place === undefined ? base : { ...base, place }
}

function decodePlace(row: Row): Place | undefined {
  const file = textOr(row, 'file')
  return file === undefined ? undefined : { file, line: intOr(row, 'line') ?? 1, col: intOr(row, 'col') ?? 1 }
}
