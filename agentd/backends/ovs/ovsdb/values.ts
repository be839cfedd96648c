/** A column's value: a scalar (absent = empty optional), a set, or a map. UUIDs are their text. Integers are numbers (OVSDB's fit 2^53 in practice). */
export type OvsValue =
  | string
  | number
  | boolean
  | readonly (string | number | boolean)[]
  | Readonly<Record<string, string | number | boolean>>
export type OvsRow = Readonly<Record<string, OvsValue>>

/** How a column is to be read: RFC 7047 sends a set of one element as a bare value, so only the schema tells a set from a scalar. */
export type ColumnShape = 'scalar' | 'optional' | 'set' | 'map'
/** Table → column → shape. */
export type Schema = Readonly<Record<string, Readonly<Record<string, ColumnShape>>>>

/** A value on the wire. */
export type WireValue = string | number | boolean | readonly [string, unknown]

interface WireType {
  readonly key?: unknown
  readonly value?: unknown
  readonly min?: number
  readonly max?: number | 'unlimited'
}

/** Reads the answer of `get_schema` (RFC 7047, 3.2). */
export function readSchema(answer: unknown): Schema {
  const tables = (answer as { tables?: Record<string, { columns: Record<string, { type: string | WireType }> }> }).tables ?? {}
  const out: Record<string, Record<string, ColumnShape>> = {}
  for (const [table, { columns }] of Object.entries(tables)) {
    const shapes: Record<string, ColumnShape> = {}
    for (const [column, { type }] of Object.entries(columns)) shapes[column] = shapeOf(type)
    out[table] = shapes
  }
  return out
}

function shapeOf(type: string | WireType): ColumnShape {
  if (typeof type === 'string') return 'scalar'
  if (type.value !== undefined) return 'map'
  if (type.max === 'unlimited' || (type.max ?? 1) > 1) return 'set'
  return (type.min ?? 1) === 0 ? 'optional' : 'scalar'
}

/** Wire → value; undefined for an empty optional. */
export function decodeValue(shape: ColumnShape, wire: unknown): OvsValue | undefined {
  if (shape === 'map') {
    const out: Record<string, string | number | boolean> = {}
    for (const [key, value] of (wire as readonly [string, readonly (readonly [WireValue, WireValue])[]])[1])
      out[String(atom(key))] = atom(value)
    return out
  }
  const list = Array.isArray(wire) && wire[0] === 'set' ? (wire[1] as readonly WireValue[]).map(atom) : [atom(wire as WireValue)]
  if (shape === 'set') return list.sort(compareAtoms)
  return list[0]
}

function atom(wire: WireValue): string | number | boolean {
  return Array.isArray(wire) ? String(wire[1]) : (wire as string | number | boolean)
}

function compareAtoms(a: string | number | boolean, b: string | number | boolean): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A set on the wire. */
export function wireSet(values: Iterable<WireValue>): WireValue {
  return ['set', [...values]]
}

/** A map on the wire. */
export function wireMap(values: Readonly<Record<string, string | number | boolean>>): WireValue {
  return ['map', Object.entries(values)]
}

export function wireUuid(uuid: string): WireValue {
  return ['uuid', uuid]
}

/** A row inserted in the same transaction, by the name it was given there. */
export function wireNamed(name: string): WireValue {
  return ['named-uuid', name]
}
