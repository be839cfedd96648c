import { OvsdbError } from './error.ts'
import { decodeValue, type OvsRow, type OvsValue, type Schema } from './values.ts'

/** Table → UUID → row. Replaced, never changed, row by row. */
export type Replica = ReadonlyMap<string, ReadonlyMap<string, OvsRow>>

/** One row's change, as applied. */
export interface RowChange {
  readonly table: string
  readonly uuid: string
  readonly before?: OvsRow
  readonly after?: OvsRow
}

type Update2 = Readonly<Record<string, Readonly<Record<string, RowUpdate2>>>>
interface RowUpdate2 {
  readonly initial?: Readonly<Record<string, unknown>>
  readonly insert?: Readonly<Record<string, unknown>>
  readonly modify?: Readonly<Record<string, unknown>>
  readonly delete?: null
}

/**
 * Applies an `update2` (ovsdb-server(7), 4.1.14) to a mutable replica and says what changed. `modify` carries for sets the symmetric difference, for maps
 * the pairs that were added, removed or changed.
 */
export function applyUpdate2(replica: Map<string, Map<string, OvsRow>>, schema: Schema, update: unknown): RowChange[] {
  const changes: RowChange[] = []
  for (const [table, rows] of Object.entries(update as Update2)) {
    const held = replica.get(table) ?? new Map<string, OvsRow>()
    replica.set(table, held)
    for (const [uuid, row] of Object.entries(rows)) {
      const before = held.get(uuid)
      const after = nextRow(schema, table, before, row)
      if (after === undefined) held.delete(uuid)
      else held.set(uuid, after)
      changes.push({ table, uuid, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) })
    }
  }
  return changes
}

function nextRow(schema: Schema, table: string, before: OvsRow | undefined, row: RowUpdate2): OvsRow | undefined {
  const full = row.initial ?? row.insert
  if (full !== undefined) return withDefaults(schema, table, decodeColumns(schema, table, full))
  if (row.modify === undefined) return undefined
  if (before === undefined) throw new OvsdbError('protocol', `an update of a row in ${table} that the replica does not have`)
  const next: Record<string, OvsValue> = { ...before }
  for (const [column, wire] of Object.entries(row.modify)) {
    const shape = schema[table]?.[column] ?? 'scalar'
    const value = decodeValue(shape, wire)
    if (shape === 'set') next[column] = symmetricDifference(asSet(next[column]), asSet(value))
    else if (shape === 'map') next[column] = mapDifference(asMap(next[column]), asMap(value))
    else if (value === undefined) delete next[column]
    else next[column] = value
  }
  return next
}

function decodeColumns(schema: Schema, table: string, columns: Readonly<Record<string, unknown>>): Record<string, OvsValue> {
  const out: Record<string, OvsValue> = {}
  for (const [column, wire] of Object.entries(columns)) {
    const value = decodeValue(schema[table]?.[column] ?? 'scalar', wire)
    if (value !== undefined) out[column] = value
  }
  return out
}

/** update2 leaves out columns at their default; sets and maps are then empty, which readers need not tell from absent. */
function withDefaults(schema: Schema, table: string, row: Record<string, OvsValue>): OvsRow {
  for (const [column, shape] of Object.entries(schema[table] ?? {})) {
    if (row[column] !== undefined) continue
    if (shape === 'set') row[column] = []
    else if (shape === 'map') row[column] = {}
  }
  return row
}

function symmetricDifference(a: readonly OvsAtom[], b: readonly OvsAtom[]): readonly OvsAtom[] {
  const out = new Set(a)
  for (const value of b) if (!out.delete(value)) out.add(value)
  return [...out].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0))
}

function mapDifference(a: OvsMap, b: OvsMap): OvsMap {
  const out: Record<string, OvsAtom> = { ...a }
  for (const [key, value] of Object.entries(b)) {
    if (out[key] === value) delete out[key]
    else out[key] = value
  }
  return out
}

export type OvsAtom = string | number | boolean
export type OvsMap = Readonly<Record<string, OvsAtom>>

export function asSet(value: OvsValue | undefined): readonly OvsAtom[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : typeof value === 'object' ? [] : [value]
}

export function asMap(value: OvsValue | undefined): OvsMap {
  return typeof value === 'object' && !Array.isArray(value) ? (value as OvsMap) : {}
}

export function asText(value: OvsValue | undefined): string {
  return typeof value === 'object' || value === undefined ? '' : String(value)
}

export function asNumber(value: OvsValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}
