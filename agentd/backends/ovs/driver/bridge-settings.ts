import type { Item } from '../../backend.ts'
import { BRIDGE } from '../compile/names.ts'
import type { FlowValue, SettingValue } from '../compile/values.ts'
import type { OpenFlowClient } from '../openflow/client.ts'
import type { PortDescription, PortEvent } from '../openflow/ports.ts'
import { type Inventory, isOurs } from './observe.ts'

/** What OpenFlow lets anyone set on br-int beside flows, and what a new bridge does not have. */
export interface BridgeSettings {
  /** The ports that refuse something, by number. */
  readonly ports: Map<number, PortDescription>
  /** Fragments of IP: 0 is `normal`. OVS tells nobody when it changes. */
  fragments: number
}

const FRAGMENTS = ['normal', 'drop', 'reassemble', 'nx-match']

/** Reads everything again into the same settings. */
export async function readSettings(client: OpenFlowClient, settings: BridgeSettings): Promise<void> {
  const ports = await client.dumpPorts()
  settings.fragments = await client.fragments()
  settings.ports.clear()
  for (const port of ports) if (port.refuses.length > 0) settings.ports.set(port.port, port)
}

/** True when the notice says something new about what a port refuses. */
export function notePort({ ports }: BridgeSettings, { kind, port }: PortEvent): boolean {
  const before = ports.get(port.port)?.refuses.join() ?? ''
  const refuses = kind === 'removed' ? [] : port.refuses
  if (refuses.length === 0) ports.delete(port.port)
  else ports.set(port.port, port)
  return refuses.join() !== before
}

/** Sets back what `settingItems` found. Throws OpenFlowError. */
export async function setRight(client: OpenFlowClient, items: readonly Item[]): Promise<void> {
  for (const { value } of items) {
    const { port } = value as SettingValue
    if (port === undefined) await client.setFragments(0)
    else await client.acceptOn(port)
  }
}

/**
 * Settings of another hand that take frames from flows of ours, as items that should not be there; none on a bridge that is as we made it. Ports that no flow
 * of ours uses may be set as anyone likes.
 */
export function settingItems(
  settings: BridgeSettings,
  inventory: Inventory,
  installation: string,
  flows: ReadonlyMap<string, Item>,
): ReadonlyMap<string, Item> {
  const out = new Map<string, Item>()
  const used = settings.ports.size === 0 ? new Map<number, string>() : usedPorts(flows)
  for (const port of settings.ports.values()) {
    const row = inventory.Interface.get(port.name)?.row
    const spoiled = row !== undefined && isOurs(row, installation) ? `row Interface ${port.name}` : used.get(port.port)
    if (spoiled === undefined) continue
    const key = `port ${port.name} (ofport ${port.port}) on ${BRIDGE}`
    const right = port.refuses.map((r) => r.replace('no-', '')).join(', ')
    out.set(key, {
      key,
      owners: [],
      text: `${port.refuses.join(', ')} (set with ovs-ofctl mod-port)`,
      value: { kind: 'setting', port } satisfies SettingValue,
      spoils: { key: spoiled, right },
    })
  }
  if (settings.fragments !== 0) {
    const key = `fragments on ${BRIDGE}`
    const text = `${FRAGMENTS[settings.fragments] ?? settings.fragments} (set with ovs-ofctl set-frags)`
    const value: SettingValue = { kind: 'setting' }
    out.set(key, { key, owners: [], text, value, spoils: { key: `row Bridge ${BRIDGE}`, right: 'normal' } })
  }
  return out
}

/** Number of each port that a flow of ours takes frames from → key of such a flow. */
function usedPorts(flows: ReadonlyMap<string, Item>): ReadonlyMap<number, string> {
  const out = new Map<number, string>()
  for (const { key, value } of flows.values()) {
    const port = (value as FlowValue).flow.match['in_port']
    if (port !== undefined) out.set(Number(port.value), key)
  }
  return out
}
