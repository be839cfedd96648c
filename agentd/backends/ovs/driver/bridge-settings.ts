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
  /** What is done with fragments of IP, a place in `FRAGMENTS`. OVS tells nobody when it changes. */
  fragments: number
}

const FRAGMENTS = ['normal', 'drop', 'reassemble', 'nx-match']
/** What a bridge is born with: no fragment shows its ports or ICMP type, so the guard would pass in two pieces what it drops in one. */
const NORMAL = 0
/** The first fragment shows what the packet is about. */
const NX_MATCH = 3

/** A bridge as it is born is made to look into first fragments. What another hand chose is drift, and left to `settingItems`. */
export async function lookIntoFragments(client: OpenFlowClient): Promise<void> {
  if ((await client.fragments()) === NORMAL) await client.setFragments(NX_MATCH)
}

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
    if (port === undefined) await client.setFragments(NX_MATCH)
    else await client.acceptOn(port)
  }
}

/**
 * Settings of another hand on br-int that take frames from flows of ours, as items that should not be there; none on a bridge that is as we made it. Ports that no flow
 * of ours uses may be set as anyone likes.
 */
export function settingItems(
  settings: BridgeSettings,
  inventory: Inventory,
  installation: string,
  flows: ReadonlyMap<string, Item>,
): ReadonlyMap<string, Item> {
  const used = settings.ports.size === 0 ? new Map<number, string>() : usedPorts(flows)
  const spoiledBy = (port: PortDescription): string | undefined => ownRow(port, inventory, installation) ?? used.get(port.port)
  const out = new Map(refusalItems(BRIDGE, settings.ports.values(), spoiledBy))
  if (settings.fragments !== NX_MATCH) {
    const key = `fragments on ${BRIDGE}`
    const text = `${FRAGMENTS[settings.fragments] ?? settings.fragments} (set with ovs-ofctl set-frags)`
    const value: SettingValue = { kind: 'setting', bridge: BRIDGE }
    out.set(key, { key, owners: [], text, value, spoils: { key: `row Bridge ${BRIDGE}`, right: 'nx-match' } })
  }
  return out
}

/** Key of the row of ours that the port is; undefined where it is somebody else's. */
export function ownRow({ name }: PortDescription, inventory: Inventory, installation: string): string | undefined {
  const row = inventory.Interface.get(name)?.row
  return row !== undefined && isOurs(row, installation) ? `row Interface ${name}` : undefined
}

/** Ports that refuse frames, as items that should not be there; `spoiledBy` says what each of them is to us. */
export function refusalItems(
  bridge: string,
  ports: Iterable<PortDescription>,
  spoiledBy: (port: PortDescription) => string | undefined,
): ReadonlyMap<string, Item> {
  const out = new Map<string, Item>()
  for (const port of ports) {
    const spoiled = port.refuses.length === 0 ? undefined : spoiledBy(port)
    if (spoiled === undefined) continue
    const key = `port ${port.name} (ofport ${port.port}) on ${bridge}`
    const right = port.refuses.map((r) => r.replace('no-', '')).join(', ')
    out.set(key, {
      key,
      owners: [],
      text: `${port.refuses.join(', ')} (set with ovs-ofctl mod-port)`,
      value: { kind: 'setting', bridge, port } satisfies SettingValue,
      spoils: { key: spoiled, right },
    })
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
