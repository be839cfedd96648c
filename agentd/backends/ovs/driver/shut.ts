import type { Item } from '../../backend.ts'
import { flowItemKey } from '../compile/build.ts'
import { BRIDGE } from '../compile/names.ts'
import type { RowValue } from '../compile/values.ts'
import { type Inventory, unreadFlows } from './observe.ts'
import type { Parts } from './parts.ts'

/** The drop of all that no other flow of the first table speaks for. */
const LAST_RESORT = flowItemKey(BRIDGE, { table: 0, priority: 0, match: {} })

/**
 * A bridge that others made may forward whatever comes (no `fail_mode=secure`, a flow with NORMAL): a patch to a second provider bridge would make it a loop, from the moment it is there until
 * our flows are. So the bridge is made secure, and its last resort a drop, before it gets a port.
 */
export interface ShutFirst {
  readonly bridge: readonly Item[]
  readonly drop: Parts['flows']
  /** Rows of ports that are not there yet: held back where the first two could not be done. */
  readonly ports: readonly Item[]
  readonly rows: readonly Item[]
  readonly flows: Parts['flows']
}

/** Nothing comes first where no port is new, or where the bridge is made together with its ports: it is born secure and without a flow. */
export function shutFirst({ rows, flows }: Pick<Parts, 'rows' | 'flows'>, inventory: Inventory): ShutFirst {
  const ports = rows.filter((item) => isNewPort(item, inventory))
  if (ports.length === 0 || !inventory.Bridge.has(BRIDGE)) return { bridge: [], drop: [], ports, rows, flows }
  const isBridge = (item: Item): boolean => (item.value as RowValue).row.table === 'Bridge'
  return {
    bridge: rows.filter(isBridge),
    drop: flows.filter(({ after }) => after.key === LAST_RESORT),
    ports,
    rows: rows.filter((item) => !isBridge(item)),
    flows: flows.filter(({ after }) => after.key !== LAST_RESORT),
  }
}

function isNewPort(item: Item, { Port }: Inventory): boolean {
  const { row } = item.value as RowValue
  return (row.table === 'Port' && !Port.has(row.name)) || (row.table === 'Interface' && !Port.has(row.parent ?? row.name))
}

/**
 * What keeps ports off a bridge after both were tried. `later`: the flows could not be read and now they can, or nobody knows what arrived: the next turn goes on. Undefined: it is shut.
 */
export function notShut(
  { bridge, drop }: ShutFirst,
  before: Inventory,
  failed: ReadonlyMap<string, string>,
  deferred: ReadonlySet<string>,
): { readonly cause: string } | 'later' | undefined {
  const refused = [...bridge, ...drop.map((d) => d.after)].flatMap((item) => failed.get(item.key) ?? [])[0]
  if (refused !== undefined) return { cause: `${BRIDGE} may forward what it should drop, so it gets no port: ${refused}` }
  if (drop.some((d) => deferred.has(d.after.key))) return 'later'
  const unread = unreadFlows(before)
  if (unread === undefined) return undefined
  return bridge.length > 0 ? 'later' : { cause: unread.cause }
}
