import type { Action } from '../flow/types.ts'

/** The controller id under which this agent hears packets ("NL"): what flows of other hands send to controllers does not come here. */
export const OUR_CONTROLLER = 0x4e4c

/** Why a flow sends a packet to the agent: the first byte of its `userdata`. A number, once given, never means anything else. */
export const TRAP = { log: 1, snoop: 2 } as const
export type Trap = keyof typeof TRAP

export interface TellOptions {
  /** Bytes of the frame that are of use; all if left out. */
  readonly max_len?: number
  /** The meter that limits how many copies come; what it drops is the copy, not the frame. */
  readonly meter?: number
  /** What the flow itself says, beside the registers that come along. */
  readonly data?: Uint8Array
}

/** Sends a copy of the frame to the agent (`driver/packet-channel.ts`); the frame itself goes on with the actions that follow. */
export function tell(trap: Trap, { data = NOTHING, ...options }: TellOptions = {}): Action {
  const userdata = Buffer.from([TRAP[trap], ...data]).toString('hex')
  return { kind: 'controller', id: OUR_CONTROLLER, userdata, ...options }
}

const NOTHING = new Uint8Array()
