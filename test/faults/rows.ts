import { isOwnedKey, OWNED_COLUMNS, type RowTable, SHARED_COLUMNS } from '../../agentd/backends/ovs/compile/rows.ts'
import type { Rig } from './rig.ts'

type Cell = string | number | boolean | readonly ['set' | 'map' | 'uuid', never]
type Rows = readonly Readonly<Record<string, Cell>>[]

/** Rows of ours as `ovs-vsctl` lists them, one line each in the words of a plan: `row Port nl-web column=value …`, settings that are OVSDB's own defaults left out. */
export async function rowLines(rig: Rig, host: string): Promise<readonly string[]> {
  const [bridges, ports, interfaces] = await Promise.all((['Bridge', 'Port', 'Interface'] as const).map((table) => list(rig, host, table)))
  const bridgeOf = parents(bridges ?? [], 'ports')
  const portOf = parents(ports ?? [], 'interfaces')
  return [
    ...lines('Bridge', bridges ?? [], () => undefined),
    ...lines('Port', ports ?? [], (row) => bridgeOf.get(uuidOf(row))),
    ...lines('Interface', interfaces ?? [], (row) => portOf.get(uuidOf(row))),
  ].sort()
}

async function list(rig: Rig, host: string, table: RowTable): Promise<Rows> {
  const { headings, data } = JSON.parse(await rig.vsctl(host, '-f', 'json', 'list', table)) as {
    readonly headings: readonly string[]
    readonly data: readonly (readonly Cell[])[]
  }
  return data.map((cells) => Object.fromEntries(headings.map((name, n) => [name, cells[n] ?? ''])))
}

function parents(rows: Rows, column: string): ReadonlyMap<string, string> {
  return new Map(rows.flatMap((row) => setOf(row[column]).map((id): [string, string] => [String(id), String(row['name'])])))
}

function uuidOf(row: Readonly<Record<string, Cell>>): string {
  return String(setOf(row['_uuid'])[0])
}

function lines(table: RowTable, rows: Rows, parentOf: (row: Readonly<Record<string, Cell>>) => string | undefined): string[] {
  return rows
    .filter((row) => mapOf(row['external_ids']).some(([key]) => key === 'netloom-owner'))
    .map((row) => {
      const parent = parentOf(row)
      const words = OWNED_COLUMNS[table].flatMap((column) => wordsOf(table, column, row[column]))
      return `row ${table} ${String(row['name'])} ${[...(parent === undefined ? [] : [`in=${parent}`]), ...words].sort().join(' ')}`
    })
}

function wordsOf(table: RowTable, column: string, cell: Cell | undefined): string[] {
  const map = mapOf(cell)
  if (map.length > 0) {
    const ours = map.filter(([key]) => !SHARED_COLUMNS.has(column) || isOwnedKey(table, column, key))
    return ours.map(([key, value]) => `${column}:${key}=${value}`)
  }
  const values = setOf(cell).filter((v) => v !== '' && v !== 0 && v !== false)
  return values.length === 0 ? [] : [`${column}=${values.map(String).sort().join(',')}`]
}

/** A set's members; a value that is no set is a set of one. */
function setOf(cell: Cell | undefined): readonly unknown[] {
  if (!Array.isArray(cell)) return cell === undefined ? [] : [cell]
  if (cell[0] === 'uuid') return [cell[1]]
  return cell[0] === 'set' ? (cell[1] as readonly Cell[]).flatMap(setOf) : []
}

function mapOf(cell: Cell | undefined): readonly (readonly [string, string])[] {
  return Array.isArray(cell) && cell[0] === 'map' ? cell[1] : []
}
