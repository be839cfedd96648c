import type { Action } from '../flow/types.ts'

/** The controller id under which this agent hears packets ("NL"): what flows of other hands send to controllers does not come here. */
export const OUR_CONTROLLER = 0x4e4c

/** The one under which the responder does (`responder/`), which goes on when the agent does not. */
export const RESPONDER_CONTROLLER = 0x4e4d

/** Why a flow sends a packet away: the first byte of its `userdata`. A number, once given, never means anything else. */
export const TRAP = { log: 1, snoop: 2, fault: 3, advert: 4 } as const
export type Trap = keyof typeof TRAP
const FOR_RESPONDER: ReadonlySet<Trap> = new Set<Trap>(['fault', 'advert'])

export interface TellOptions {
  /** Bytes of the frame that are of use; all if left out. */
  readonly max_len?: number
  /** The meter that limits how many copies come; what it drops is the copy, not the frame. */
  readonly meter?: number
  /** What the flow itself says, beside the registers that come along. */
  readonly data?: Uint8Array
}

/** Sends a copy of the frame to the agent or the responder (`driver/packet-channel.ts`); the frame itself goes on with the actions that follow. */
export function tell(trap: Trap, { data = NOTHING, ...options }: TellOptions = {}): Action {
  const userdata = Buffer.from([TRAP[trap], ...data]).toString('hex')
  return { kind: 'controller', id: FOR_RESPONDER.has(trap) ? RESPONDER_CONTROLLER : OUR_CONTROLLER, userdata, ...options }
}

const NOTHING = new Uint8Array()
