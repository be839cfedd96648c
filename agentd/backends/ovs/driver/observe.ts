import type { Key } from '../../../../src/model/key.ts'
import type { Facts, InterfaceFact, Item, Unread } from '../../backend.ts'
import { BRIDGE } from '../compile/names.ts'
import {
  type ColumnValue,
  FOREIGN_COLUMNS,
  isOwnedKey,
  KEY_ID,
  OWNED_COLUMNS,
  OWNER_ID,
  type RowTable,
  rowItem,
  SHARED_COLUMNS,
} from '../compile/rows.ts'
import { asMap, asNumber, asSet, asText, type Replica, type RowChange } from '../ovsdb/replica.ts'
import type { OvsRow, OvsValue } from '../ovsdb/values.ts'

/** What the driver keeps a replica of. */
export const MONITORED: Readonly<Record<string, readonly string[]>> = {
  Open_vSwitch: ['bridges', 'cur_cfg', 'next_cfg', 'ovs_version', 'iface_types', 'datapath_types'],
  Bridge: ['name', 'ports', ...OWNED_COLUMNS.Bridge, ...FOREIGN_COLUMNS],
  Port: ['name', 'interfaces', ...OWNED_COLUMNS.Port],
  Interface: ['name', ...OWNED_COLUMNS.Interface, 'ofport', 'error', 'admin_state', 'link_state', 'mac_in_use'],
  Controller: ['target', 'is_connected'],
}

const PROTOCOL = 'OpenFlow14'
const STEADY = (MONITORED['Interface'] ?? []).filter((c) => c !== 'admin_state' && c !== 'link_state' && c !== 'mac_in_use')

/** A row with its identity in the database. */
export interface Located {
  readonly uuid: string
  readonly row: OvsRow
  /** Port: its bridge. Interface: its port. */
  readonly parent?: string
}

/** The replica, by table and name, with parents. */
export interface Inventory {
  readonly root?: Located
  readonly Bridge: ReadonlyMap<string, Located>
  readonly Port: ReadonlyMap<string, Located>
  readonly Interface: ReadonlyMap<string, Located>
  /** By the identity of their row. */
  readonly controllers: ReadonlyMap<string, ControllerFact>
}

export interface ControllerFact {
  readonly target: string
  readonly connected: boolean
}

export function takeInventory(replica: Replica): Inventory {
  const bridges = named(replica, 'Bridge')
  const portParents = parents(bridges, 'ports')
  const ports = named(replica, 'Port', portParents)
  const interfaces = named(replica, 'Interface', parents(ports, 'interfaces'))
  const [first] = replica.get('Open_vSwitch') ?? []
  return {
    ...(first === undefined ? {} : { root: { uuid: first[0], row: first[1] } }),
    Bridge: bridges,
    Port: ports,
    Interface: interfaces,
    controllers: new Map(
      [...(replica.get('Controller') ?? [])].map(([uuid, row]) => [
        uuid,
        { target: asText(row['target']), connected: row['is_connected'] === true },
      ]),
    ),
  }
}

function named(replica: Replica, table: RowTable, parentOf?: ReadonlyMap<string, string>): Map<string, Located> {
  const out = new Map<string, Located>()
  for (const [uuid, row] of replica.get(table) ?? []) {
    const parent = parentOf?.get(uuid)
    // A port or interface that nothing refers to is on its way out: the database removes it at the end of the transaction.
    if (parentOf !== undefined && parent === undefined) continue
    out.set(asText(row['name']), { uuid, row, ...(parent === undefined ? {} : { parent }) })
  }
  return out
}

function parents(rows: ReadonlyMap<string, Located>, column: string): Map<string, string> {
  const out = new Map<string, string>()
  for (const [name, { row }] of rows) for (const uuid of asSet(row[column])) out.set(String(uuid), name)
  return out
}

export function isOurs(row: OvsRow, installation: string): boolean {
  return asMap(row['external_ids'])[OWNER_ID] === installation
}

/** Set down, by `ip link` or by `ovs-ofctl mod-port`: it is one flag. A device that was moved into a namespace has no MAC here, and is called down whatever it is. */
export function isDown(row: OvsRow): boolean {
  return row['admin_state'] === 'down' && row['mac_in_use'] !== undefined
}

/** No carrier. Guests' links come and go, and say nothing about the switch. */
function isCut(row: OvsRow): boolean {
  return row['link_state'] === 'down' && asMap(row['external_ids'])['iface-id'] === undefined
}

/** False for what vswitchd tells of a device in passing. It also counts what it applied in Open_vSwitch: that alone is no news either. */
export function isNews({ table, before, after }: RowChange): boolean {
  if (table === 'Open_vSwitch') return before?.['bridges'] !== after?.['bridges']
  if (table !== 'Interface' || before === undefined || after === undefined) return true
  return isDown(before) !== isDown(after) || isCut(before) !== isCut(after) || STEADY.some((column) => before[column] !== after[column])
}

/** Our rows as items, in the very form the compiler gives them. */
export function rowItems(inventory: Inventory, installation: string): Map<string, Item> {
  const out = new Map<string, Item>()
  for (const table of ['Bridge', 'Port', 'Interface'] as const) {
    for (const [name, { row, parent }] of inventory[table]) {
      if (!isOurs(row, installation)) continue
      const owner = asMap(row['external_ids'])[KEY_ID]
      const columns: Record<string, ColumnValue> = {}
      for (const column of OWNED_COLUMNS[table]) columns[column] = columnValue(table, column, row[column])
      const item = rowItem(typeof owner === 'string' && owner.includes('/') ? [owner as Key] : [], {
        table,
        name,
        ...(parent === undefined ? {} : { parent }),
        columns,
      })
      out.set(item.key, item)
    }
  }
  return out
}

function columnValue(table: RowTable, column: string, value: OvsValue | undefined): ColumnValue {
  if (value === undefined) return null
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(String)
  const entries = Object.entries(asMap(value))
    .filter(([key]) => !SHARED_COLUMNS.has(column) || isOwnedKey(table, column, key))
    .map(([key, v]) => [key, String(v)] as const)
  return entries.length === 0 ? null : Object.fromEntries(entries)
}

/** What only the switch knows. `datapath` decides for a bridge that does not exist yet. */
export function factsOf(
  inventory: Inventory,
  installation: string,
  datapath: 'system' | 'netdev',
  around: Pick<Facts, 'addresses' | 'providers'>,
): Facts {
  const root = inventory.root?.row ?? {}
  const own = inventory.Bridge.get(BRIDGE)?.row['datapath_type']
  const interfaces: Record<string, InterfaceFact> = {}
  for (const [name, { row, parent }] of inventory.Interface) {
    const bridge = inventory.Port.get(parent ?? '')?.parent
    if (bridge !== undefined) interfaces[name] = interfaceFact(row, bridge, installation)
  }
  return {
    datapath_type: asText(own) || datapath,
    version: asText(root['ovs_version']),
    capabilities: asSet(root['iface_types']).map(String),
    interfaces,
    ...around,
    bridges: [...inventory.Bridge].filter(([, { row }]) => !isOurs(row, installation)).map(([name]) => name),
  }
}

function interfaceFact(row: OvsRow, bridge: string, installation: string): InterfaceFact {
  const ids = asMap(row['external_ids'])
  const ofport = asNumber(row['ofport'])
  const error = asText(row['error'])
  const text = (key: string): string | undefined => (ids[key] === undefined ? undefined : String(ids[key]))
  const iface = text('iface-id')
  const ours = isOurs(row, installation)
  const mac = text('attached-mac')
  return {
    bridge,
    type: asText(row['type']),
    ours,
    ...(ofport === undefined ? {} : { ofport }),
    ...(iface === undefined ? {} : { iface_id: iface }),
    ...(mac === undefined ? {} : { attached_mac: mac }),
    ...(iface !== undefined && !ours && isDown(row) ? { down: true as const } : {}),
    ...(error === '' ? {} : { error }),
  }
}

/** Flows of a bridge that was told to speak no OpenFlow 1.4: nobody can read them before its row is mended. */
export function unreadFlows(inventory: Inventory): Unread | undefined {
  const protocols = otherProtocols(inventory, BRIDGE)
  if (protocols === undefined) return undefined
  return {
    concerns: (key) => key.startsWith(`flow ${BRIDGE} `) || key.startsWith(`meter ${BRIDGE} `),
    cause: `${BRIDGE} speaks only ${protocols}, and its flows are read with ${PROTOCOL}: ovs-vsctl add Bridge ${BRIDGE} protocols ${PROTOCOL}`,
  }
}

/** What a bridge speaks where our client's protocol is not among it. An empty set is every version. */
export function otherProtocols(inventory: Inventory, bridge: string): string | undefined {
  const protocols = asSet(inventory.Bridge.get(bridge)?.row['protocols']).map(String)
  return protocols.length === 0 || protocols.includes(PROTOCOL) ? undefined : protocols.join(', ')
}
