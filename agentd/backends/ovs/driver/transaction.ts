import { type ColumnValue, isOwnedKey, OWNED_COLUMNS, type Row, SHARED_COLUMNS, unsetValue } from '../compile/rows.ts'
import type { Operation } from '../ovsdb/client.ts'
import { asMap } from '../ovsdb/replica.ts'
import { type WireValue, wireMap, wireNamed, wireSet, wireUuid } from '../ovsdb/values.ts'
import type { Inventory, Located } from './observe.ts'

/** Rows to write together: they refer to each other, or are one row. The unit in which a refusal is isolated. */
export interface RowGroup {
  /** Item keys in this group. */
  readonly keys: readonly string[]
  readonly operations: readonly Operation[]
}

export interface WantedRow {
  readonly key: string
  readonly row: Row
}

/**
 * Operations that add or change rows; one group per bridge, one per port with its interface. A group whose parent does not exist is left out (its rows come with the
 * next turn, when the parent is there) unless the parent is made by an earlier group of this very call.
 */
export function writeGroups(rows: readonly WantedRow[], inventory: Inventory): RowGroup[] {
  const bridges = rows.filter((r) => r.row.table === 'Bridge')
  const ports = rows.filter((r) => r.row.table === 'Port')
  const interfaces = rows.filter((r) => r.row.table === 'Interface')
  const made = new Set(bridges.map((b) => b.row.name))
  const taken = new Set<string>()
  const groups: RowGroup[] = bridges.map((b) => bridgeGroup(b, inventory))
  for (const port of ports) {
    const own = interfaces.filter((i) => i.row.parent === port.row.name)
    for (const i of own) taken.add(i.key)
    const group = portGroup(port, own, inventory, made)
    if (group !== undefined) groups.push(group)
  }
  for (const i of interfaces) {
    const there = inventory.Interface.get(i.row.name)
    if (!taken.has(i.key) && there !== undefined) groups.push({ keys: [i.key], operations: [updateOf(i.row, there)] })
  }
  return groups
}

function bridgeGroup(bridge: WantedRow, inventory: Inventory): RowGroup {
  const there = inventory.Bridge.get(bridge.row.name)
  if (there !== undefined) return { keys: [bridge.key], operations: [updateOf(bridge.row, there)] }
  const { name } = bridge.row
  const local = symbol('local', name)
  return {
    keys: [bridge.key],
    operations: [
      insert('Interface', `${local}_i`, { name, type: 'internal' }),
      insert('Port', local, { name, interfaces: wireNamed(`${local}_i`) }),
      insert('Bridge', symbol('Bridge', name), { name, ...wireColumns(bridge.row), ports: wireNamed(local) }),
      mutate('Open_vSwitch', inventory.root, [['bridges', 'insert', wireSet([wireNamed(symbol('Bridge', name))])]]),
    ],
  }
}

function portGroup(port: WantedRow, own: readonly WantedRow[], inventory: Inventory, made: ReadonlySet<string>): RowGroup | undefined {
  const keys = [port.key, ...own.map((i) => i.key)]
  const there = inventory.Port.get(port.row.name)
  const update = (wanted: WantedRow, located: Located | undefined): Operation[] =>
    located === undefined ? [] : [updateOf(wanted.row, located)]
  if (there !== undefined) {
    return { keys, operations: [...update(port, there), ...own.flatMap((i) => update(i, inventory.Interface.get(i.row.name)))] }
  }
  const { name, parent = '' } = port.row
  const bridge = inventory.Bridge.get(parent)
  const first = own[0]
  if (first === undefined || (bridge === undefined && !made.has(parent))) return undefined
  const attach = [['ports', 'insert', wireSet([wireNamed(symbol('Port', name))])]] as const
  return {
    keys,
    operations: [
      insert('Interface', symbol('Interface', name), { name: first.row.name, ...wireColumns(first.row) }),
      insert('Port', symbol('Port', name), { name, ...wireColumns(port.row), interfaces: wireNamed(symbol('Interface', name)) }),
      bridge === undefined
        ? { op: 'mutate', table: 'Bridge', where: [['name', '==', parent]], mutations: attach }
        : mutate('Bridge', bridge, attach),
    ],
  }
}

/** Takes a port off its bridge (its rows go with it), or a bridge out of the database. */
export function removeOperations(row: Row, inventory: Inventory): Operation[] {
  const there = inventory[row.table].get(row.name)
  if (there === undefined || row.table === 'Interface') return []
  if (row.table === 'Bridge') {
    const local = inventory.Port.get(row.name)
    return [onlyPort(there, local), mutate('Open_vSwitch', inventory.root, [['bridges', 'delete', wireSet([wireUuid(there.uuid)])]])]
  }
  const bridge = inventory.Bridge.get(there.parent ?? '')
  return bridge === undefined ? [] : [mutate('Bridge', bridge, [['ports', 'delete', wireSet([wireUuid(there.uuid)])]])]
}

/** Refuses the transaction when the bridge has got another port meanwhile: whoever plugged it would lose it with the bridge. */
function onlyPort(bridge: Located, local: Located | undefined): Operation {
  return {
    op: 'wait',
    table: 'Bridge',
    where: [['_uuid', '==', wireUuid(bridge.uuid)]],
    columns: ['ports'],
    until: '==',
    rows: [{ ports: wireSet(local === undefined ? [] : [wireUuid(local.uuid)]) }],
    timeout: 0,
  }
}

/** Makes vswitchd tell when it has applied what this transaction did: `select` gives the number to wait for. */
export function countOperations(inventory: Inventory): Operation[] {
  return [
    mutate('Open_vSwitch', inventory.root, [['next_cfg', '+=', 1]]),
    { op: 'select', table: 'Open_vSwitch', where: [], columns: ['next_cfg'] },
  ]
}

/** Sets the columns that are ours; of shared columns only our keys. A column of ours that is not wanted is emptied. */
function updateOf(row: Row, there: Located): Operation {
  const columns: Record<string, WireValue> = {}
  for (const column of OWNED_COLUMNS[row.table]) {
    const value = row.columns[column] ?? null
    if (!SHARED_COLUMNS.has(column)) {
      columns[column] = wireColumn(value, column)
      continue
    }
    const kept = Object.entries(asMap(there.row[column])).filter(([key]) => !isOwnedKey(row.table, column, key))
    columns[column] = wireMap({ ...Object.fromEntries(kept), ...(isMap(value) ? value : {}) })
  }
  return { op: 'update', table: row.table, where: [['_uuid', '==', wireUuid(there.uuid)]], row: columns }
}

function wireColumns(row: Row): Record<string, WireValue> {
  const out: Record<string, WireValue> = {}
  for (const [column, value] of Object.entries(row.columns)) if (value !== null) out[column] = wireColumn(value, column)
  return out
}

function wireColumn(value: ColumnValue, column: string): WireValue {
  if (value === null) return wireColumn(unsetValue(column), column)
  if (isMap(value)) return wireMap(value)
  return isList(value) ? wireSet(value) : value
}

function isList(value: ColumnValue): value is readonly string[] {
  return Array.isArray(value)
}

function isMap(value: ColumnValue): value is Readonly<Record<string, string>> {
  return value !== null && typeof value === 'object' && !isList(value)
}

function insert(table: string, name: string, row: Readonly<Record<string, WireValue>>): Operation {
  return { op: 'insert', table, 'uuid-name': name, row }
}

function mutate(table: string, located: Located | undefined, mutations: readonly unknown[]): Operation {
  return { op: 'mutate', table, where: located === undefined ? [] : [['_uuid', '==', wireUuid(located.uuid)]], mutations }
}

/** A name for a new row that OVSDB takes: letters, digits and underscores, unique because each is escaped apart. */
function symbol(table: string, name: string): string {
  return `${table}_${Buffer.from(name).toString('hex')}`
}
