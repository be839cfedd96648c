import type { Flow } from '../flow/types.ts'
import type { ByteWriter } from './bytes.ts'
import { ALL_TABLES, ANY } from './constants.ts'
import { OpenFlowError, unreadable } from './error.ts'
import type { FlowFilter } from './flow-stats.ts'
import { putMatch } from './put-oxm.ts'
import { readInstructions } from './read-actions.ts'
import { readMatch } from './read-oxm.ts'

/** OpenFlow 1.4, 7.3.5.17. OVS 3.1 speaks it in this form (its own NXST_FLOW_MONITOR is for OpenFlow 1.0 to 1.2). */

export type FlowEvent =
  /**
   * `initial`: it was there when the monitor was made. Removed flows come without actions. Flags are not told. An `add` that replaces a
   * flow is told as `added`.
   */
  | { readonly kind: 'initial' | 'added' | 'modified' | 'removed'; readonly flow: Flow }
  /** Changes that this connection asked for, by the number of its message: one for a whole bundle. */
  | { readonly kind: 'own'; readonly xid: number }
  /** Between these two the switch had no room for events; the state is told again at `resumed`, removals of new flows aside. */
  | { readonly kind: 'paused' | 'resumed' }
  /** A flow that this client cannot read changed. */
  | { readonly kind: 'unreadable'; readonly table: number; readonly priority: number; readonly cookie: bigint; readonly why: string }

export interface MonitorOptions extends Pick<FlowFilter, 'table' | 'match'> {
  /** Tell the flows that are there already. */
  readonly initial?: boolean
  /** Tell changes by this connection in full. */
  readonly own?: boolean
}

const ADD = 0
const DELETE = 2
const WHEN = 2 | 4 | 8
const WITH_INSTRUCTIONS = 16
/** The standard calls this bit "only own" and 32 "in full". OVS 3.1 refuses 32 (by an error without a number), and by 64 it means 32. */
const OWN = 64

export function putMonitor(w: ByteWriter, id: number, options: MonitorOptions): void {
  w.u32(id)
  w.u32(ANY)
  w.u32(ANY)
  w.u16((options.initial ? 1 : 0) | WHEN | WITH_INSTRUCTIONS | (options.own ? OWN : 0))
  w.u8(options.table ?? ALL_TABLES)
  w.u8(ADD)
  putMatch(w, options.match ?? {})
}

export function putMonitorCancel(w: ByteWriter, id: number): void {
  w.u32(id)
  w.u32(ANY)
  w.u32(ANY)
  w.u16(0)
  w.u8(ALL_TABLES)
  w.u8(DELETE)
  putMatch(w, {})
}

const KINDS = ['initial', 'added', 'removed', 'modified'] as const
const FULL = 24

export function readMonitorEvents(b: Buffer): FlowEvent[] {
  const events: FlowEvent[] = []
  for (let at = 0; at + 8 <= b.length; ) {
    const length = b.readUInt16BE(at)
    if (length < 8 || at + length > b.length) throw new OpenFlowError('protocol', `a flow event of ${length} bytes`)
    const event = b.readUInt16BE(at + 2)
    const kind = KINDS[event]
    if (kind !== undefined) events.push(readFull(b, at, at + length, kind))
    else if (event === 4) events.push({ kind: 'own', xid: b.readUInt32BE(at + 4) })
    else if (event === 5 || event === 6) events.push({ kind: event === 5 ? 'paused' : 'resumed' })
    else throw new OpenFlowError('protocol', `unknown flow event ${event}`)
    at += length
  }
  return events
}

function readFull(b: Buffer, at: number, end: number, kind: (typeof KINDS)[number]): FlowEvent {
  const table = b.readUInt8(at + 4)
  const priority = b.readUInt16BE(at + 10)
  const cookie = b.readBigUInt64BE(at + 16)
  const idle = b.readUInt16BE(at + 6)
  const hard = b.readUInt16BE(at + 8)
  try {
    const { match, end: next } = readMatch(b, at + FULL)
    const timeouts = { ...(idle === 0 ? {} : { idle_timeout: idle }), ...(hard === 0 ? {} : { hard_timeout: hard }) }
    return { kind, flow: { table, priority, cookie, ...timeouts, flags: [], match, actions: readInstructions(b, next, end) } }
  } catch (error) {
    const why = unreadable(error)
    if (why === undefined) throw error
    return { kind: 'unreadable', table, priority, cookie, why }
  }
}
