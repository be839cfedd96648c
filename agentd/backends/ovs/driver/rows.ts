import { setTimeout as sleep } from 'node:timers/promises'
import type { DriverOptions, Item } from '../../backend.ts'
import type { RowValue } from '../compile/values.ts'
import type { Operation, OvsdbClient } from '../ovsdb/client.ts'
import type { Inventory } from './observe.ts'
import { countOperations, type RowGroup, removeOperations, writeGroups } from './transaction.ts'

const APPLY_MS = 30_000
const PORTS_AT_ONCE = 24
/** Longest pause after a port was taken off. */
const PAUSE_MAX_MS = 50

/**
 * Writes rows in few transactions, each applied by vswitchd before the next. When the database refuses one, each of its groups is tried by itself, so that one bad
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
  let plug = replug
  for (let next = 0; next < groups.length || plug.length > 0; ) {
    const some = groups.slice(next, next + atOnce(inventory()))
    next += some.length
    try {
      await commit(ovsdb, inventory(), [...some.flatMap((g) => g.operations), ...plug])
    } catch (error) {
      log('warn', 'OVSDB refused a transaction; trying its parts', { error: String(error) })
      for (const group of some) await tryGroup(ovsdb, inventory, group, failed)
    }
    plug = []
  }
}

/**
 * Ports that one transaction adds. vswitchd does not forward while it makes them, 0.3 ms each, and what arrives meanwhile waits in sockets that hold some 90 packets;
 * every transaction costs it a look at all ports there are. Hence few on a small host, and more on a big one, where the looks would outweigh them.
 */
function atOnce({ Port }: Inventory): number {
  return Math.max(PORTS_AT_ONCE, Math.floor(Port.size / 8))
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
 * about 15 ms. In between vswitchd gets as much time as it took, to forward what has queued up. After `budgetMs` the rest is deferred to the next turn, so that
 * newer work is not held up.
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
    const began = performance.now()
    try {
      await commit(ovsdb, inventory(), operations)
    } catch (error) {
      failed.set(key, error instanceof Error ? error.message : String(error))
      left.add(row.name)
    }
    await sleep(Math.min(performance.now() - began, PAUSE_MAX_MS))
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
