import type { Key } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import type { RowValue } from './values.ts'

export type RowTable = 'Bridge' | 'Port' | 'Interface'

/** Numbers and booleans as they are; a set as a sorted list; a map with text values; empty set and absent value as `null`. */
export type ColumnValue = null | string | number | boolean | readonly string[] | Readonly<Record<string, string>>

/**
 * An OVSDB row as far as it is ours. A column that is not named belongs to someone else and is never written. `external_ids` and
 * `other_config` are ours key by key; every other column is ours whole.
 */
export interface Row {
  readonly table: RowTable
  readonly name: string
  /** Port: the bridge it sits on. Interface: the port it belongs to. Bridge: absent. */
  readonly parent?: string
  readonly columns: Readonly<Record<string, ColumnValue>>
}

/** Columns of which only some keys are ours. */
export const SHARED_COLUMNS: ReadonlySet<string> = new Set(['external_ids', 'other_config'])

/**
 * The columns that are ours, by table: what an observer reads back and compares. Those that we never set are here because they take frames from our flows
 * (docs/decisions/030).
 */
export const OWNED_COLUMNS: Readonly<Record<RowTable, readonly string[]>> = {
  Bridge: ['datapath_type', 'external_ids', 'fail_mode', 'flow_tables', 'protocols', 'rstp_enable', 'stp_enable'],
  Port: ['cvlans', 'external_ids', 'lacp', 'protected', 'qos', 'tag', 'trunks', 'vlan_mode'],
  Interface: [
    'bfd',
    'cfm_mpid',
    'external_ids',
    'ingress_policing_burst',
    'ingress_policing_kpkts_burst',
    'ingress_policing_kpkts_rate',
    'ingress_policing_rate',
    'lldp',
    'mac',
    'mtu_request',
    'ofport_request',
    'options',
    'type',
  ],
}

/** Columns of our bridge that others may set: told, and left alone. */
export const FOREIGN_COLUMNS: readonly string[] = [
  'controller',
  'flood_vlans',
  'ipfix',
  'mcast_snooping_enable',
  'mirrors',
  'netflow',
  'other_config',
  'sflow',
]

/** What a column of ours holds when we want nothing in it; every other one is an empty set then. */
const UNSET: Readonly<Record<string, Record<string, never> | '' | 0 | false>> = {
  bfd: {},
  external_ids: {},
  flow_tables: {},
  ingress_policing_burst: 0,
  ingress_policing_kpkts_burst: 0,
  ingress_policing_kpkts_rate: 0,
  ingress_policing_rate: 0,
  lldp: {},
  options: {},
  other_config: {},
  protected: false,
  type: '',
}

export function unsetValue(column: string): ColumnValue {
  return UNSET[column] ?? []
}

/** Keys of shared columns that are ours; on an interface we make, also what ties it to its port. */
export function isOwnedKey(table: RowTable, column: string, key: string): boolean {
  if (column !== 'external_ids') return false
  return key.startsWith('netloom-') || (table === 'Interface' && (key === 'iface-id' || key === 'attached-mac'))
}

export const OWNER_ID = 'netloom-owner'
export const KEY_ID = 'netloom-key'

/** `external_ids` of a row of ours: which installation, and which resource or purpose. Never a revision. */
export function ownership(installation: string, purpose: string): Readonly<Record<string, string>> {
  return { [KEY_ID]: purpose, [OWNER_ID]: installation }
}

export function rowItem(owners: readonly Key[], row: Row): Item {
  for (const column of Object.keys(row.columns)) {
    if (!OWNED_COLUMNS[row.table].includes(column)) throw new Error(`column ${column} of ${row.table} is not declared as ours`)
  }
  const value: RowValue = { kind: 'row', row }
  return { key: rowKey(row), owners, text: rowText(row), value }
}

/** `row Port nl-vxlan` */
function rowKey(row: Pick<Row, 'table' | 'name'>): string {
  return `row ${row.table} ${row.name}`
}

/** One line `column=value` each, maps one line a key, sorted; absent values left out, and so are defaults (OVSDB does not always tell of them). Equal rows have equal text. */
function rowText(row: Row): string {
  const lines: string[] = row.parent === undefined ? [] : [`in=${row.parent}`]
  for (const [column, value] of Object.entries(row.columns)) {
    if (value === null || value === '' || value === false || value === UNSET[column]) continue
    if (isList(value)) {
      if (value.length > 0) lines.push(`${column}=${[...value].sort().join(',')}`)
    } else if (typeof value === 'object') {
      for (const [key, text] of Object.entries(value)) lines.push(`${column}:${key}=${text}`)
    } else lines.push(`${column}=${value}`)
  }
  return lines.sort().join('\n')
}

function isList(value: ColumnValue): value is readonly string[] {
  return Array.isArray(value)
}
