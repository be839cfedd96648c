import type { Foreign } from '../../backend.ts'
import { BRIDGE } from '../compile/names.ts'
import { asMap, asSet, asText } from '../ovsdb/replica.ts'
import type { OvsRow } from '../ovsdb/values.ts'
import { type Inventory, isOurs } from './observe.ts'

/** What is on our bridge and is not ours. */
export function foreignThings(inventory: Inventory, installation: string): Foreign[] {
  const bridge = inventory.Bridge.get(BRIDGE)
  if (bridge === undefined || !isOurs(bridge.row, installation)) return foreignPorts(inventory, installation)
  return [...foreignPorts(inventory, installation), ...controllers(bridge.row, inventory), ...bridgeSettings(bridge.row)]
}

/** Where tunnels of ours end. */
export function tunnelAddresses(inventory: Inventory, installation: string): ReadonlySet<string> {
  const rows = [...inventory.Interface.values()].map(({ row }) => row).filter((row) => isOurs(row, installation))
  return new Set(rows.flatMap((row) => asMap(row['options'])['local_ip'] ?? []).map(String))
}

/** A port with an `iface-id` waits for the YAML, or belongs to it; unless its row keeps frames from our flows, nothing is said of it. */
function foreignPorts(inventory: Inventory, installation: string): Foreign[] {
  const out: Foreign[] = []
  for (const [name, { row, parent }] of inventory.Interface) {
    const port = inventory.Port.get(parent ?? '')
    if (port?.parent !== BRIDGE || name === BRIDGE || isOurs(row, installation)) continue
    if (asMap(row['external_ids'])['iface-id'] === undefined)
      out.push({ where: `Port ${name} on ${BRIDGE}`, text: `type=${asText(row['type']) || 'system'} ofport=${asText(row['ofport'])}` })
    else if (port.row['protected'] === true)
      out.push({ where: `Port ${name} on ${BRIDGE}`, text: 'protected=true: it exchanges no frame with other protected ports' })
  }
  return out
}

/** With one, OVS also gives frames to and from it to flows of its own, above all others. */
function controllers(bridge: OvsRow, inventory: Inventory): Foreign[] {
  return asSet(bridge['controller']).map((uuid) => ({
    where: `Controller ${inventory.controllers.get(String(uuid))?.target ?? uuid} on ${BRIDGE}`,
    text: `may write flows; ovs-vsctl del-controller ${BRIDGE} ends that`,
  }))
}

/** What a bridge without NORMAL does not heed, and what copies frames or counts them. */
function bridgeSettings(bridge: OvsRow): Foreign[] {
  const plain = ['mirrors', 'netflow', 'sflow', 'ipfix', 'flood_vlans', 'mcast_snooping_enable'].flatMap((column) => {
    const values = asSet(bridge[column]).filter((v) => v !== false)
    return values.length === 0 ? [] : [{ where: `Bridge ${BRIDGE} ${column}`, text: values.join(', ') }]
  })
  const keys = Object.entries(asMap(bridge['other_config']))
  return [...plain, ...keys.map(([key, value]) => ({ where: `Bridge ${BRIDGE} other_config:${key}`, text: String(value) }))]
}
