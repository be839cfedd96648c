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

/** A plan's lists, ready to be written. */
export type PackedPlan = readonly { readonly part: Part; readonly seq: number; readonly body: Buffer }[]

/** Needs no database, so that it can go on while SQLite writes something else. */
export async function packPlan({ changes, ops, allocations }: Plan): Promise<PackedPlan> {
  const lists: readonly (readonly [Part, readonly unknown[]])[] = [
    ['change', changes],
    ['set', ops.set],
    ['del', ops.del],
    ['hold', allocations.set],
    ['free', allocations.del],
  ]
  const pages: PackedPlan[number][] = []
  for (const [part, items] of lists) {
    for (let seq = 0; seq * ITEMS < items.length; seq++) {
      pages.push({ part, seq, body: await pack(items.slice(seq * ITEMS, (seq + 1) * ITEMS)) })
    }
  }
  return pages
}

/** The id comes from the content, so a plan of the same id and base is the same plan. */
export async function isPlanKnown(sql: Sql, plan: Plan): Promise<boolean> {
  return (await sql.get('SELECT 1 FROM plans WHERE id = ? AND base = ?', plan.id, plan.base)) !== undefined
}

/**
 * Stores a plan that is not known. Should another plan have the same eight digits, it has another base and gives way: the newer was made
 * from what is true now.
 */
export async function insertPlan(tx: Sql, plan: Plan, packed: PackedPlan, createdAt: string): Promise<void> {
  const { changes, ops, allocations, ...head } = plan
  await tx.run('DELETE FROM plans WHERE id = ?', plan.id)
  await tx.run('INSERT INTO plans (id, base, created_at, body) VALUES (?, ?, ?, ?)', plan.id, plan.base, createdAt, JSON.stringify(head))
  for (const { part, seq, body } of packed) {
    await tx.run('INSERT INTO plan_pages (plan, part, seq, body) VALUES (?, ?, ?, ?)', plan.id, part, seq, body)
  }
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

export async function readItems<T>(sql: Sql, plan: string, part: Part): Promise<readonly T[]> {
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
