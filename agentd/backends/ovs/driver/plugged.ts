import { BRIDGE } from '../compile/names.ts'
import type { Operation } from '../ovsdb/client.ts'
import { asMap, asText } from '../ovsdb/replica.ts'
import { wireMap, wireNamed, wireSet } from '../ovsdb/values.ts'
import type { Inventory } from './observe.ts'

/** A port that others plugged into our bridge, as far as it takes to plug it again. */
export interface Plugged {
  readonly type: string
  readonly options: Readonly<Record<string, string | number | boolean>>
  readonly external_ids: Readonly<Record<string, string | number | boolean>>
}

/**
 * What others plugged (interfaces with an `iface-id`). `lost`: went away together with the bridge, and are to be plugged again, since they would not do so by
 * themselves. A port taken off while the bridge stands was taken off on purpose and is forgotten.
 */
export interface PluggedPorts {
  readonly current: ReadonlyMap<string, Plugged>
  readonly lost: ReadonlyMap<string, Plugged>
}

export const NONE_PLUGGED: PluggedPorts = { current: new Map(), lost: new Map() }

export function followPlugged(before: PluggedPorts, inventory: Inventory, ours: (name: string) => boolean): PluggedPorts {
  if (!inventory.Bridge.has(BRIDGE)) return { current: new Map(), lost: new Map([...before.lost, ...before.current]) }
  const current = new Map<string, Plugged>()
  for (const [name, { row, parent }] of inventory.Interface) {
    if (ours(name) || inventory.Port.get(parent ?? '')?.parent !== BRIDGE) continue
    const external_ids = asMap(row['external_ids'])
    if (external_ids['iface-id'] !== undefined)
      current.set(name, { type: asText(row['type']), options: asMap(row['options']), external_ids })
  }
  return { current, lost: new Map([...before.lost].filter(([name]) => !inventory.Interface.has(name))) }
}

/** Plugs the lost ones again, into a bridge that exists or is made earlier in the same transaction. */
export function replugOperations({ lost }: PluggedPorts): Operation[] {
  return [...lost].flatMap(([name, { type, options, external_ids }]) => {
    const id = Buffer.from(name).toString('hex')
    return [
      {
        op: 'insert',
        table: 'Interface',
        'uuid-name': `ri_${id}`,
        row: { name, type, options: wireMap(options), external_ids: wireMap(external_ids) },
      },
      { op: 'insert', table: 'Port', 'uuid-name': `rp_${id}`, row: { name, interfaces: wireNamed(`ri_${id}`) } },
      {
        op: 'mutate',
        table: 'Bridge',
        where: [['name', '==', BRIDGE]],
        mutations: [['ports', 'insert', wireSet([wireNamed(`rp_${id}`)])]],
      },
    ]
  })
}
