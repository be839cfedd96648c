import type { Key } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Holding } from '../engine/types.ts'
import type { Change, Plan } from '../plan/types.ts'
import { blob, int, intOr, type Row, type Sql, text } from './connection.ts'
import { pack, unpack } from './pack.ts'
import { currentNumber } from './revisions.ts'
import type { StoredPlan } from './types.ts'

/** The lists of a plan are stored in pages, so that one of 100,000 changes never stalls the loop. */
const ITEMS = 200
type Part = 'change' | 'set' | 'del' | 'hold' | 'free'

/**
 * Stores a plan under its id. The id comes from the content, so a plan that is there already is left as it is. Should two plans share the
 * eight digits, the one with another base gives way: the newer was made from what is true now.
 */
export async function insertPlan(tx: Sql, plan: Plan, createdAt: string): Promise<void> {
  const known = await tx.get('SELECT base FROM plans WHERE id = ?', plan.id)
  if (known !== undefined && int(known, 'base') === plan.base) return
  if (known !== undefined) await tx.run('DELETE FROM plans WHERE id = ?', plan.id)
  const { changes, ops, allocations, ...head } = plan
  await tx.run('INSERT INTO plans (id, base, created_at, body) VALUES (?, ?, ?, ?)', plan.id, plan.base, createdAt, JSON.stringify(head))
  await insertItems(tx, plan.id, 'change', changes)
  await insertItems(tx, plan.id, 'set', ops.set)
  await insertItems(tx, plan.id, 'del', ops.del)
  await insertItems(tx, plan.id, 'hold', allocations.set)
  await insertItems(tx, plan.id, 'free', allocations.del)
}

/** The state is what is true now: a plan whose base is no longer current is stale, whoever made it so. */
export async function readPlan(sql: Sql, id: string): Promise<StoredPlan | undefined> {
  const row = await sql.get('SELECT id, base, created_at, applied_rev, body FROM plans WHERE id = ?', id)
  if (row === undefined) return undefined
  const head = JSON.parse(text(row, 'body')) as Omit<Plan, 'changes' | 'ops' | 'allocations'>
  const plan: Plan = {
    ...head,
    changes: await readItems<Change>(sql, id, 'change'),
    ops: { set: await readItems<Declared>(sql, id, 'set'), del: await readItems<Key>(sql, id, 'del') },
    allocations: { set: await readItems<Holding>(sql, id, 'hold'), del: await readItems<string>(sql, id, 'free') },
  }
  return { plan, state: await planState(sql, row), createdAt: text(row, 'created_at') }
}

async function planState(sql: Sql, row: Row): Promise<StoredPlan['state']> {
  if (intOr(row, 'applied_rev') !== undefined) return 'applied'
  return int(row, 'base') === (await currentNumber(sql)) ? 'planned' : 'stale'
}

async function insertItems(tx: Sql, plan: string, part: Part, items: readonly unknown[]): Promise<void> {
  const sql = 'INSERT INTO plan_pages (plan, part, seq, body) VALUES (?, ?, ?, ?)'
  const packed = (seq: number): Promise<Buffer> => pack(items.slice(seq * ITEMS, (seq + 1) * ITEMS))
  const pages = Math.ceil(items.length / ITEMS)
  let next = pages > 0 ? packed(0) : undefined
  for (let seq = 0; next !== undefined; seq++) {
    const body: Buffer = await next
    // The next page is packed on another thread while this one is written.
    next = seq + 1 < pages ? packed(seq + 1) : undefined
    await tx.run(sql, plan, part, seq, body)
  }
}

async function readItems<T>(sql: Sql, plan: string, part: Part): Promise<readonly T[]> {
  const items: T[] = []
  for (let seq = 0; ; seq++) {
    const row = await sql.get('SELECT body FROM plan_pages WHERE plan = ? AND part = ? AND seq = ?', plan, part, seq)
    if (row === undefined) return items
    items.push(...((await unpack(blob(row, 'body'))) as readonly T[]))
  }
}

/** How long a plan that nobody applied is kept. */
const PLAN_MS = 30 * 24 * 3600 * 1000

export async function purgePlans(tx: Sql, now: number): Promise<void> {
  await tx.run('DELETE FROM plans WHERE applied_rev IS NULL AND created_at < ?', new Date(now - PLAN_MS).toISOString())
}
