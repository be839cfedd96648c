import { formatFlow } from '../flow/format.ts'
import { type Action, FLOW_FLAGS, type Flow } from '../flow/types.ts'
import type { ByteWriter } from './bytes.ts'
import { ANY, INSTRUCTION, OPENFLOW_14, TYPE } from './constants.ts'
import { OpenFlowError } from './error.ts'
import { putActions } from './put-actions.ts'
import { putMatch } from './put-oxm.ts'

/**
 * A change of the flow table. `add` puts a flow in or replaces the one with the same table, priority and match; `modify_strict` changes
 * the actions of that one (not its cookie), `delete_strict` takes it away, `delete` all flows that the match covers (of the table, or of
 * all tables with table 255). With a `cookie_mask` only flows whose cookie agrees with `flow.cookie` under it are changed.
 */
export interface FlowMod {
  readonly command: 'add' | 'modify' | 'modify_strict' | 'delete' | 'delete_strict'
  readonly flow: Flow
  /** Not for `add`. */
  readonly cookie_mask?: bigint
}

const COMMANDS = { add: 0, modify: 1, modify_strict: 2, delete: 3, delete_strict: 4 } as const
const NO_BUFFER = 0xffffffff
/** Longest message that its 16-bit length allows. */
export const LONGEST = 0xffff
/** Room that `put…` needs for one message before it is known to be too long. */
export const ROOM: number = LONGEST + 64

/** A whole OFPT_FLOW_MOD. Throws OpenFlowError `encode` for a flow that no message can hold. */
export function putFlowMod(w: ByteWriter, mod: FlowMod, xid: number): void {
  const { flow } = mod
  const start = w.at
  const deletes = mod.command === 'delete' || mod.command === 'delete_strict'
  putHeader(w, TYPE.FLOW_MOD, xid)
  w.u64(flow.cookie)
  w.u64(mod.cookie_mask ?? 0n)
  w.u8(flow.table)
  w.u8(COMMANDS[mod.command])
  w.u16(deletes ? 0 : (flow.idle_timeout ?? 0))
  w.u16(deletes ? 0 : (flow.hard_timeout ?? 0))
  w.u16(flow.priority)
  w.u32(NO_BUFFER)
  w.u32(ANY)
  w.u32(ANY)
  w.u16(deletes ? 0 : flagBits(flow))
  w.u16(deletes ? 0 : (flow.importance ?? 0))
  putMatch(w, flow.match)
  if (!deletes) putInstructions(w, flow.actions)
  finishMessage(w, start, () => formatFlow(flow))
}

export function putHeader(w: ByteWriter, type: number, xid: number): void {
  w.u8(OPENFLOW_14)
  w.u8(type)
  w.u16(0)
  w.u32(xid)
}

/** Fills in a message's length. */
export function finishMessage(w: ByteWriter, start: number, describe: () => string): void {
  const length = w.at - start
  if (length > LONGEST) {
    w.at = start
    throw new OpenFlowError('encode', `a message of ${length} bytes (OpenFlow allows ${LONGEST}): ${describe().slice(0, 500)}`)
  }
  w.set16(start + 2, length)
}

function flagBits(flow: Flow): number {
  let bits = 0
  for (const flag of flow.flags) bits |= 1 << FLOW_FLAGS.indexOf(flag)
  return bits
}

/** In which order instructions may stand among the actions of a flow: OVS executes them so, and prints them so. */
const STAGE: Readonly<Partial<Record<Action['kind'], number>>> = { meter: 0, clear_actions: 2, write_metadata: 3, goto_table: 4 }
const APPLY = 1

/** Plain actions become one apply_actions; the others are instructions of their own. */
export function putInstructions(w: ByteWriter, actions: readonly Action[]): void {
  let stage = -1
  for (let i = 0; i < actions.length; ) {
    const action = actions[i]
    if (action === undefined) return
    const own = STAGE[action.kind] ?? APPLY
    if (own <= stage) throw new OpenFlowError('encode', `${action.kind} must stand before what is written before it`)
    stage = own
    i += own === APPLY ? putApply(w, actions, i) : putInstruction(w, action)
  }
}

function putApply(w: ByteWriter, actions: readonly Action[], from: number): number {
  let to = from
  while (to < actions.length && STAGE[actions[to]?.kind ?? 'meter'] === undefined) to++
  const start = w.at
  w.u16(INSTRUCTION.APPLY_ACTIONS)
  w.u16(0)
  w.zeros(4)
  putActions(w, from === 0 && to === actions.length ? actions : actions.slice(from, to))
  w.set16(start + 2, w.at - start)
  return to - from
}

function putInstruction(w: ByteWriter, action: Action): number {
  switch (action.kind) {
    case 'meter':
      head(w, INSTRUCTION.METER, 8)
      w.u32(action.meter)
      return 1
    case 'goto_table':
      head(w, INSTRUCTION.GOTO_TABLE, 8)
      w.u8(action.table)
      w.zeros(3)
      return 1
    case 'write_metadata':
      head(w, INSTRUCTION.WRITE_METADATA, 24)
      w.zeros(4)
      w.u64(action.value)
      w.u64(action.mask ?? 0xffffffffffffffffn)
      return 1
    default:
      head(w, INSTRUCTION.CLEAR_ACTIONS, 8)
      w.zeros(4)
      return 1
  }
}

function head(w: ByteWriter, type: number, length: number): void {
  w.u16(type)
  w.u16(length)
}
