import type { JsonObject } from '../../model/brand.ts'
import type { Key } from '../../model/key.ts'
import { int, type Row, type Sql, text, textOr } from './connection.ts'
import type { EventRow } from './types.ts'

export async function insertEvent(tx: Sql, event: Omit<EventRow, 'id'>): Promise<void> {
  await tx.run(
    'INSERT INTO events (at, type, host, key, body) VALUES (?, ?, ?, ?, ?)',
    event.at,
    event.type,
    event.host ?? null,
    event.key ?? null,
    JSON.stringify(event.detail),
  )
}

/** The newest `limit` events, newest first. */
export async function readEvents(sql: Sql, limit: number): Promise<readonly EventRow[]> {
  return (await sql.all('SELECT id, at, type, host, key, body FROM events ORDER BY id DESC LIMIT ?', limit)).map(decode)
}

/** Keeps the newest `keep` events. */
export async function purgeEvents(tx: Sql, keep: number): Promise<void> {
  await tx.run('DELETE FROM events WHERE id <= (SELECT coalesce(max(id), 0) FROM events) - ?', keep)
}

function decode(row: Row): EventRow {
  const host = textOr(row, 'host')
  const key = textOr(row, 'key')
  return {
    id: int(row, 'id'),
    at: text(row, 'at'),
    type: text(row, 'type'),
    detail: JSON.parse(text(row, 'body')) as JsonObject,
    ...(host === undefined ? {} : { host }),
    ...(key === undefined ? {} : { key: key as Key }),
  }
}
