import type { Foreign, Item } from '../../backend.ts'
import { isOwnMeter, meterItem, meterKey, meterText } from '../compile/meters.ts'
import type { FlowValue, MeterValue } from '../compile/values.ts'
import type { Flow } from '../flow/types.ts'
import type { OpenFlowClient } from '../openflow/client.ts'
import type { Meter } from '../openflow/meters.ts'

/** The meters of br-int: ours by their numbers, those of others listed and left alone. */
export interface MeterTable {
  readonly own: Map<string, Item>
  readonly foreign: Map<string, string>
  /** Another hand changed one since they were read. */
  stale: boolean
}

export function noMeters(): MeterTable {
  return { own: new Map(), foreign: new Map(), stale: false }
}

/** Reads all of them into the same table. */
export async function readMeters(client: OpenFlowClient, table: MeterTable): Promise<void> {
  table.stale = false
  const meters = await client.dumpMeters()
  table.own.clear()
  table.foreign.clear()
  for (const meter of meters) {
    if (isOwnMeter(meter.meter)) table.own.set(meterKey(meter.meter), meterItem([], meter))
    else table.foreign.set(meterKey(meter.meter), meterText(meter).replaceAll('\n', ' '))
  }
}

export function foreignMeters({ foreign }: MeterTable): Foreign[] {
  return [...foreign].map(([where, text]) => ({ where, text }))
}

export interface MeterChange {
  readonly before?: Item
  readonly after: Item
}

/** One that is there is altered in place: its flows stand, and no frame is lost. Each is tried; `onError` hears of those that the switch refuses. */
export async function writeMeters(
  client: OpenFlowClient,
  changes: readonly MeterChange[],
  onError: (item: Item, error: unknown) => void,
): Promise<void> {
  await Promise.all(
    changes.map(async ({ before, after }) => {
      try {
        await client.modMeter(before === undefined ? 'add' : 'modify', meterOf(after))
      } catch (error) {
        onError(after, error)
      }
    }),
  )
}

/** With a meter the switch deletes the flows that name it: one that a flow of ours still names stays. */
export async function removeMeters(
  client: OpenFlowClient,
  gone: readonly Item[],
  flows: ReadonlyMap<string, Item>,
  onError: (item: Item, error: unknown) => void,
): Promise<void> {
  const users = usersOf(flows)
  await Promise.all(
    gone.map(async (item) => {
      try {
        const user = users.get(meterOf(item).meter)
        if (user !== undefined) throw new Error(`${user} still names it`)
        await client.modMeter('delete', meterOf(item))
      } catch (error) {
        onError(item, error)
      }
    }),
  )
}

/** Number of each meter that a flow names → key of such a flow. */
function usersOf(flows: ReadonlyMap<string, Item>): ReadonlyMap<number, string> {
  const out = new Map<number, string>()
  for (const { key, value } of flows.values()) for (const meter of metersIn(value as FlowValue)) out.set(meter, key)
  return out
}

/** A meter that holds frames back comes first; one that holds copies back stands in the action that sends them. */
function metersIn({ flow: { actions } }: FlowValue): readonly number[] {
  const [first] = actions
  if (first === undefined) return []
  const copies = actions.flatMap((a) => (a.kind === 'controller' && a.meter !== undefined ? [a.meter] : []))
  return first.kind === 'meter' ? [first.meter, ...copies] : copies
}

/**
 * Flows as they are: one whose meter is gone is not as it was written. With a meter the switch deletes the flows that hold frames against it, but not those whose copies it holds back: these go
 * on with whatever meter the datapath makes next in its place, a port's own limit too. Once their meter is back they are written again. `metered`: keys of the flows that hold copies back.
 */
export function withStale(
  flows: ReadonlyMap<string, Item>,
  metered: ReadonlySet<string>,
  meters: ReadonlyMap<string, Item>,
): ReadonlyMap<string, Item> {
  let out: Map<string, Item> | undefined
  for (const key of metered) {
    const item = flows.get(key)
    const gone = item === undefined ? undefined : goneMeter(item.value as FlowValue, meters)
    if (item === undefined || gone === undefined) continue
    out ??= new Map(flows)
    out.set(key, { key, owners: item.owners, text: `${item.text} (meter ${gone} is gone)`, value: item.value })
  }
  return out ?? flows
}

/** Whether a flow sends copies that a meter holds back. */
export function isMetered({ actions }: Flow): boolean {
  return actions.some((a) => a.kind === 'controller' && a.meter !== undefined)
}

function goneMeter({ flow }: FlowValue, meters: ReadonlyMap<string, Item>): number | undefined {
  for (const action of flow.actions) {
    if (action.kind === 'controller' && action.meter !== undefined && isOwnMeter(action.meter) && !meters.has(meterKey(action.meter)))
      return action.meter
  }
  return undefined
}

function meterOf(item: Item): Meter {
  return (item.value as MeterValue).config
}
