import type { Key } from '../../model/key.ts'
import type { Life, Version } from '../../plugins/plugin.ts'
import type { Change } from '../plan/types.ts'
import { int, intOr, type Row, type Sql, text } from './connection.ts'
import { readItems } from './plans.ts'

/**
 * The revisions that made the resource what it is, oldest first: the one that created it, or made it anew, and each that changed it since. Revisions that only found it
 * written differently do not count. Empty when it is not there now, or was not `at` that revision.
 */
export async function readLife(sql: Sql, key: Key, at?: number): Promise<Life> {
  const rows = await sql.all(
    `SELECT r.from_rev, r.to_rev, r.resolved, v.committed_at, v.plan, v.summary ->> 'recreate' AS recreated
     FROM resources AS r JOIN revisions AS v ON v.revision = r.from_rev WHERE r.key = ? AND r.from_rev <= ? ORDER BY r.from_rev DESC`,
    key,
    at ?? Number.MAX_SAFE_INTEGER,
  )
  const life: Version[] = []
  for (const [i, row] of rows.entries()) {
    const older = rows[i + 1]
    const follows = older !== undefined && intOr(older, 'to_rev') === int(row, 'from_rev')
    const end = intOr(row, 'to_rev')
    if (i === 0 && end !== undefined && (at === undefined || end <= at)) return []
    if (follows && text(older, 'resolved') === text(row, 'resolved')) continue
    life.unshift({ revision: int(row, 'from_rev'), at: text(row, 'committed_at') })
    if (!follows || (await wasMadeAnew(sql, key, row))) return life
  }
  return life
}

/** Only what the plan says tells this from a change in place. */
async function wasMadeAnew(sql: Sql, key: Key, row: Row): Promise<boolean> {
  if (int(row, 'recreated') === 0) return false
  const changes = await readItems<Change>(sql, text(row, 'plan'), 'change')
  return changes.some((c) => c.key === key && c.action === 'recreate')
}
