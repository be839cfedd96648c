import type { ProviderFact } from '../../backend.ts'
import { BRIDGE, patchPorts } from '../compile/names.ts'
import { UPLINK_ID } from '../compile/provider.ts'
import { asMap, asNumber, asSet, asText } from '../ovsdb/replica.ts'
import type { OvsRow } from '../ovsdb/values.ts'
import { type Inventory, isDown, isOurs, otherProtocols } from './observe.ts'
import type { BridgeState } from './provider-bridge.ts'
import { dropsOf } from './provider-flows.ts'

type Uplink = ProviderFact['uplinks'][number]

/** Bridges of others that a port of ours sits on. */
export function providersIn(inventory: Inventory, installation: string): ReadonlySet<string> {
  const out = new Set<string>()
  for (const { row, parent } of inventory.Port.values()) {
    if (parent !== undefined && parent !== BRIDGE && isOurs(row, installation)) out.add(parent)
  }
  return out
}

/** `state` undefined: the bridge does not answer (yet), and nothing is said of its flows. */
export function providerFact(bridge: string, inventory: Inventory, state: BridgeState | undefined): ProviderFact {
  const uplinks = uplinksOf(bridge, inventory, state)
  const ofport = (name: string): number => asNumber(inventory.Interface.get(name)?.row['ofport']) ?? -1
  const numbers = uplinks.flatMap(({ members }) => members.map(ofport))
  const ours = ofport(patchPorts(bridge).ext)
  const known = state !== undefined && !state.unreadable && ours > 0
  const table = { flows: [...(state?.flows.values() ?? [])], missIsDrop: missIsDrop(bridge, inventory) }
  const drops = known ? dropsOf(table, ours, numbers) : undefined
  const protocols = otherProtocols(inventory, bridge)
  const alone = asMap(inventory.Bridge.get(bridge)?.row['external_ids'])[UPLINK_ID] === 'none'
  return {
    uplinks: uplinks.map(({ uplink }) => uplink),
    ...(drops === undefined ? {} : { drops }),
    ...(alone ? { alone } : {}),
    ...(protocols === undefined ? {} : { unread: `it speaks only ${protocols}` }),
  }
}

/** A controller may answer for what no flow matches, and while none is reached a bridge that is not `secure` forwards by itself, with flows that nobody is shown. */
function missIsDrop(bridge: string, { Bridge, controllers }: Inventory): boolean {
  const row = Bridge.get(bridge)?.row
  const own = asSet(row?.['controller']).map((uuid) => controllers.get(String(uuid)))
  if (own.length === 0) return true
  return asText(row?.['fail_mode']) === 'secure' && own.every((c) => c?.connected === false)
}

/** Whatever leads on from the bridge: neither our patch nor a device of the host itself. */
function uplinksOf(bridge: string, inventory: Inventory, state: BridgeState | undefined): { uplink: Uplink; members: readonly string[] }[] {
  const members = new Map<string, string[]>()
  for (const [name, { row, parent = '' }] of inventory.Interface) {
    if (inventory.Port.get(parent)?.parent !== bridge || asText(row['type']) === 'internal' || name === bridge) continue
    if (name !== patchPorts(bridge).ext) members.set(parent, [...(members.get(parent) ?? []), name])
  }
  return [...members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, ifaces]) => uplinkOf(bridge, name, ifaces, inventory, state))
}

/** A bond works for as long as one of its interfaces does. */
function uplinkOf(
  bridge: string,
  name: string,
  members: readonly string[],
  inventory: Inventory,
  state: BridgeState | undefined,
): { uplink: Uplink; members: readonly string[] } {
  const faults = members.map((member) => faultOf(bridge, member, inventory.Interface.get(member)?.row ?? {}, state))
  const [first] = faults
  return { uplink: first === undefined || faults.includes(undefined) ? { name } : { name, fault: first }, members }
}

function faultOf(bridge: string, name: string, row: OvsRow, state: BridgeState | undefined): Uplink['fault'] {
  const error = asText(row['error'])
  if (error !== '') return { what: `cannot be opened (${error})`, todo: `ovs-vsctl list Interface ${name}` }
  if (isDown(row)) return { what: 'is set down', todo: `ip link set ${name} up` }
  if (row['link_state'] === 'down' && row['mac_in_use'] !== undefined) return { what: 'has no link', todo: `ip link show ${name}` }
  const port = [...(state?.ports.values() ?? [])].find((p) => p.name === name)
  const refuses = (port?.refuses ?? []).filter((r) => r !== 'no-packet-in')
  const [refusal] = refuses
  if (refusal === undefined) return undefined
  const todo = refuses.map((r) => `ovs-ofctl mod-port ${bridge} ${name} ${r.replace('no-', '')}`).join(' && ')
  return { what: `refuses frames (${refuses.join(', ')})`, todo }
}
