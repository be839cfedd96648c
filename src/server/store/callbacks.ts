import type { JsonObject } from '../../model/brand.ts'
import type { Place } from '../../model/issue.ts'
import { type Key, keyParts } from '../../model/key.ts'
import type { Resource } from '../../model/resource.ts'
import type { Verb } from '../../plugins/callbacks.ts'
import { bulk } from './bulk.ts'
import { int, intOr, type Row, type Sql, text, textOr } from './connection.ts'
import { insertEvent } from './events.ts'
import type { CallOutcome, NewCall, StoredCall, WaitingCalls } from './types.ts'

/** A call's turn comes when no earlier one of the same subscription and resource waits. */
const ITS_TURN = `NOT EXISTS (SELECT 1 FROM callbacks AS e
  WHERE e.plugin = c.plugin AND e.subscription = c.subscription AND e.key = c.key AND e.id < c.id)`
const NOT_AMONG = `c.plugin || ' ' || c.subscription NOT IN (SELECT value FROM json_each(?))`
const COLUMNS = 'c.id, c.revision, c.plugin, c.subscription, c.verb, c.key, c.attempts, c.error, c.next_at, c.since'

/** Calls are made in the order in which they are given. */
export async function insertCalls(tx: Sql, revision: number, calls: readonly NewCall[], now: number): Promise<void> {
  await bulk(
    tx,
    `INSERT INTO callbacks (revision, plugin, subscription, verb, key, attempts, next_at, since)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, 0, value ->> 5, value ->> 5 FROM json_each(?)`,
    calls,
    (c) => [revision, c.plugin, c.subscription, c.verb, c.key, now],
  )
}

/** Those whose time and turn have come, in order. `except`: `plugin subscription` of those that cannot be called just now. */
export async function readDueCalls(sql: Sql, now: number, except: readonly string[], limit: number): Promise<readonly StoredCall[]> {
  const query = `SELECT ${COLUMNS} FROM callbacks AS c WHERE c.next_at <= ? AND ${ITS_TURN} AND ${NOT_AMONG} ORDER BY c.id LIMIT ?`
  return (await sql.all(query, now, JSON.stringify(except), limit)).map(decode)
}

/** When the next call is due; undefined when none waits. */
export async function readNextCall(sql: Sql, except: readonly string[]): Promise<number | undefined> {
  const query = `SELECT min(c.next_at) AS at FROM callbacks AS c WHERE ${ITS_TURN} AND ${NOT_AMONG}`
  return intOr((await sql.get(query, JSON.stringify(except))) ?? {}, 'at')
}

export async function settleCalls(tx: Sql, outcomes: readonly CallOutcome[]): Promise<void> {
  for (const { id, failed } of outcomes) {
    if (failed === undefined) await tx.run('DELETE FROM callbacks WHERE id = ?', id)
    else await tx.run('UPDATE callbacks SET attempts = attempts + 1, error = ?, next_at = ? WHERE id = ?', failed.error, failed.nextAt, id)
  }
}

/** Those that failed first, then in order. */
export async function readWaitingCalls(sql: Sql, limit: number): Promise<WaitingCalls> {
  const counts = (await sql.get('SELECT count(*) AS total, count(error) AS failing FROM callbacks')) ?? {}
  const rows = await sql.all(`SELECT ${COLUMNS} FROM callbacks AS c ORDER BY c.error IS NULL, c.id LIMIT ?`, limit)
  return { total: int(counts, 'total'), failing: int(counts, 'failing'), calls: rows.map(decode) }
}

/** Removes the calls of subscriptions that are not there any more, and leaves an event for each. `known`: `plugin subscription`. */
export async function dropCalls(tx: Sql, known: readonly string[], at: string): Promise<readonly DroppedCalls[]> {
  const rows = await tx.all(
    `SELECT c.plugin, c.subscription, count(*) AS calls FROM callbacks AS c WHERE ${NOT_AMONG} GROUP BY 1, 2 ORDER BY 1, 2`,
    JSON.stringify(known),
  )
  const dropped = rows.map((row) => ({ plugin: text(row, 'plugin'), subscription: text(row, 'subscription'), calls: int(row, 'calls') }))
  for (const gone of dropped) {
    await tx.run('DELETE FROM callbacks WHERE plugin = ? AND subscription = ?', gone.plugin, gone.subscription)
    await insertEvent(tx, { at, type: 'callbacks dropped', detail: { ...gone } })
  }
  return dropped
}

/** A subscription that is gone, and how many calls waited for it. */
export interface DroppedCalls {
  readonly plugin: string
  readonly subscription: string
  readonly calls: number
}

/** A resource as it was at a revision; undefined when it was not there. */
export async function readResourceAt(sql: Sql, key: Key, revision: number): Promise<Resource | undefined> {
  const row = await sql.get(
    'SELECT resolved FROM resources WHERE key = ? AND from_rev <= ? AND (to_rev IS NULL OR to_rev > ?)',
    key,
    revision,
    revision,
  )
  if (row === undefined) return undefined
  const resolved = JSON.parse(text(row, 'resolved')) as { readonly id: string; readonly spec: JsonObject }
  return { key, ...keyParts(key), ...resolved }
}

/** Where resources of the current revision stood when they were committed. */
export async function readPlaces(sql: Sql, keys: readonly Key[]): Promise<ReadonlyMap<Key, Place>> {
  const rows = await sql.all(
    `SELECT r.key, r.file, r.line, r.col FROM json_each(?) AS j JOIN resources AS r ON r.key = j.value
     WHERE r.to_rev IS NULL AND r.file IS NOT NULL`,
    JSON.stringify(keys),
  )
  return new Map(
    rows.map((row) => [text(row, 'key') as Key, { file: text(row, 'file'), line: intOr(row, 'line') ?? 1, col: intOr(row, 'col') ?? 1 }]),
  )
}

function decode(row: Row): StoredCall {
  const error = textOr(row, 'error')
  return {
    id: int(row, 'id'),
    revision: int(row, 'revision'),
    plugin: text(row, 'plugin'),
    subscription: text(row, 'subscription'),
    verb: text(row, 'verb') as Verb,
    key: text(row, 'key') as Key,
    attempts: int(row, 'attempts'),
    nextAt: int(row, 'next_at'),
    since: int(row, 'since'),
    ...(error === undefined ? {} : { error }),
  }
}
