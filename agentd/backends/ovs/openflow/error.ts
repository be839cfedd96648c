import { FlowError } from '../flow/error.ts'

/**
 * - `connect`: the management socket does not answer · `closed`: the connection ended under a request
 * - `timeout`: no answer in time · `protocol`: bytes that are no OpenFlow 1.4 · `encode`: a value that OpenFlow 1.4 cannot carry
 * - `refused`: the switch answered with an error; `failures` holds its words, one for each message at fault
 */
export type OpenFlowErrorCode = 'connect' | 'closed' | 'timeout' | 'protocol' | 'encode' | 'refused'

/** One error message of the switch. */
export interface Failure {
  /** Which message of a list failed, from 0; absent when the request was a single message, or the failure is of the whole. */
  readonly index?: number
  /** OVS's name of the error (`OFPBMC_BAD_PREREQ`). */
  readonly name: string
  /** Name, and what was refused: one line for an operator. */
  readonly text: string
}

export class OpenFlowError extends Error {
  readonly code: OpenFlowErrorCode
  readonly failures: readonly Failure[]

  constructor(
    code: OpenFlowErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly failures?: readonly Failure[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'OpenFlowError'
    this.code = code
    this.failures = options.failures ?? []
  }
}

/** Why a flow's bytes could not be read; undefined when the error is another fault. */
export function unreadable(error: unknown): string | undefined {
  return error instanceof OpenFlowError || error instanceof FlowError || error instanceof RangeError ? error.message : undefined
}
