import { PMap } from '../../lib/pmap.ts'
import { flat } from '../../lib/text-flat.ts'
import { compareText, type Key } from '../../model/key.ts'
import type { Allocations, Holding } from '../engine/types.ts'
import type { Plan } from '../plan/types.ts'
import { bulk, PAGE, tuples } from './bulk.ts'
import type { Sql } from './connection.ts'

/** How long a deleted resource's addresses, MACs and segments stay its own (DESIGN 4.1). */
export const RESERVATION_MS: number = 30 * 24 * 3600 * 1000

/** All holdings, read in pages. Only inside one read transaction do the pages belong together. */
export async function readAllocations(sql: Sql): Promise<Allocations> {
  const held = PMap.empty<string, Holding>().draft()
  const owned = new Map<Key, string[]>()
  let pool = ''
  let value = ''
  for (;;) {
    const rows = await tuples<HoldingRow>(
      sql,
      COLUMNS,
      `SELECT ${COLUMNS} FROM allocations WHERE (pool, value) > (?, ?) ORDER BY pool, value LIMIT ${PAGE}`,
      pool,
      value,
    )
    for (const row of rows) {
      const holding = decode(row, pool)
      const id = holdingId(holding)
      held.set(id, holding)
      const ids = owned.get(holding.owner)
      if (ids === undefined) owned.set(holding.owner, [id])
      else ids.push(id)
      ;({ pool, value } = holding)
    }
    if (rows.length < PAGE) return { held: held.done(), byOwner: await shared<Key, readonly string[]>(owned) }
  }
}

/** The same as a persistent map, made in pieces between which the loop turns. */
async function shared<K extends string, V>(map: ReadonlyMap<K, V>): Promise<PMap<K, V>> {
  const draft = PMap.empty<K, V>().draft()
  let turn = 0
  for (const [key, value] of map) {
    draft.set(key, value)
    if (++turn % (5 * PAGE) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return draft.done()
}

/** `pool|value`, the key of a holding. Pools have no `|` in their names. */
export function holdingId(holding: { readonly pool: string; readonly value: string }): string {
  return flat(holding.pool, '|', holding.value)
}

export async function writeAllocations(tx: Sql, change: Plan['allocations']): Promise<void> {
  await bulk(tx, 'DELETE FROM allocations WHERE (pool, value) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))', change.del, (id) => [
    id.slice(0, id.indexOf('|')),
    id.slice(id.indexOf('|') + 1),
  ])
  await bulk(
    tx,
    `INSERT INTO allocations (pool, value, owner, source, released_at)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) WHERE true
     ON CONFLICT (pool, value) DO UPDATE SET owner = excluded.owner, source = excluded.source, released_at = excluded.released_at`,
    [...change.set].sort((a, b) => compareText(a.pool, b.pool) || compareText(a.value, b.value)),
    (h) => [h.pool, h.value, h.owner, h.source, h.releasedAt ?? null],
  )
}

/** Drops reservations that have lapsed at `now`; the engine disregards them from the same moment on. */
export async function purgeReservations(tx: Sql, now: number): Promise<void> {
  await tx.run('DELETE FROM allocations WHERE released_at IS NOT NULL AND released_at < ?', now - RESERVATION_MS)
}

const COLUMNS = 'pool, value, owner, source, released_at'
type HoldingRow = readonly [string, string, Key, Holding['source'], number | null]

/** Rows come by pool: they share the name of the row before instead of keeping one each. */
function decode([own, value, owner, source, releasedAt]: HoldingRow, before: string): Holding {
  const pool = own === before ? before : own
  return releasedAt === null ? { pool, value, owner, source } : { pool, value, owner, source, releasedAt }
}
