import type { DriverOptions, Item } from '../../backend.ts'
import type { RowValue } from '../compile/values.ts'
import type { Operation, OvsdbClient } from '../ovsdb/client.ts'
import type { Inventory } from './observe.ts'
import { countOperations, type RowGroup, removeOperations, writeGroups } from './transaction.ts'

const APPLY_MS = 30_000

/**
 * Writes rows in one transaction and waits until vswitchd has applied it. When the database refuses it, each group is tried by itself, so that one bad
 * row does not stop the others; refusals go to `failed`.
 */
export async function writeRows(
  ovsdb: OvsdbClient,
  inventory: () => Inventory,
  items: readonly Item[],
  replug: readonly Operation[],
  failed: Map<string, string>,
  log: DriverOptions['log'],
): Promise<void> {
  const groups = writeGroups(
    items.map((i) => ({ key: i.key, row: (i.value as RowValue).row })),
    inventory(),
  )
  const written = new Set(groups.flatMap((g) => g.keys))
  for (const item of items) if (!written.has(item.key)) failed.set(item.key, 'the bridge or port it belongs to is not there')
  if (groups.length === 0 && replug.length === 0) return
  try {
    await commit(ovsdb, inventory(), [...groups.flatMap((g) => g.operations), ...replug])
  } catch (error) {
    log('warn', 'OVSDB refused a transaction; trying its parts', { error: String(error) })
    for (const group of groups) await tryGroup(ovsdb, inventory, group, failed)
  }
}

async function tryGroup(ovsdb: OvsdbClient, inventory: () => Inventory, group: RowGroup, failed: Map<string, string>): Promise<void> {
  try {
    await commit(ovsdb, inventory(), group.operations)
  } catch (error) {
    for (const key of group.keys) failed.set(key, error instanceof Error ? error.message : String(error))
  }
}

/**
 * Takes ports off one at a time, each applied before the next: a hundred in one transaction would stop forwarding for more than a second, one costs
 * about 15 ms. After `budgetMs` the rest is deferred to the next turn, so that newer work is not held up.
 */
export async function removeRows(
  ovsdb: OvsdbClient,
  inventory: () => Inventory,
  items: readonly Item[],
  budgetMs: number,
  failed: Map<string, string>,
  deferred: Set<string>,
): Promise<void> {
  const end = performance.now() + budgetMs
  const order = { Interface: 0, Port: 1, Bridge: 2 }
  const rows = items
    .map((item) => ({ key: item.key, row: (item.value as RowValue).row }))
    .sort((a, b) => order[a.row.table] - order[b.row.table])
  const left = new Set<string>()
  for (const { key, row } of rows.filter((r) => r.row.table !== 'Interface')) {
    if (performance.now() > end) {
      deferred.add(key)
      left.add(row.name)
      continue
    }
    const operations = removeOperations(row, inventory())
    if (operations.length === 0) continue
    try {
      await commit(ovsdb, inventory(), operations)
    } catch (error) {
      failed.set(key, error instanceof Error ? error.message : String(error))
      left.add(row.name)
    }
  }
  // An interface goes with its port: deferred or failed together.
  for (const { key, row } of rows.filter((r) => r.row.table === 'Interface')) if (left.has(row.parent ?? row.name)) deferred.add(key)
}

async function commit(ovsdb: OvsdbClient, inventory: Inventory, operations: readonly Operation[]): Promise<void> {
  const results = await ovsdb.transact([...operations, ...countOperations(inventory)])
  const rows = results.at(-1)?.['rows'] as readonly { readonly next_cfg?: number }[] | undefined
  const config = rows?.[0]?.next_cfg
  if (config !== undefined) await ovsdb.waitForApplied(config, APPLY_MS)
}
