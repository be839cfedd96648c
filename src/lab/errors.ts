/** What can go wrong while a lab is made, used or taken down. */
export type LabErrorCode =
  /** Not root, or a program is missing: the message says what to type. */
  | 'cannot_run_here'
  /** Another process is making or removing this very lab. */
  | 'busy'
  | 'no_such_lab'
  | 'no_such_host'
  | 'no_such_guest'
  /** A command ended with an error; `cause` holds its output. */
  | 'command_failed'
  /** Something that belongs to the lab could not be removed; the message names it. */
  | 'left_behind'
  /** The program inside a guest ended or does not answer. */
  | 'guest_lost'

export class LabError extends Error {
  readonly code: LabErrorCode

  constructor(code: LabErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'LabError'
    this.code = code
  }
}
