/** `refused`: the database said no (its words in the message). `timeout`: ovsdb-server or vswitchd did not answer in time. */
export type OvsdbErrorCode = 'unreachable' | 'closed' | 'protocol' | 'refused' | 'timeout'

export interface OvsdbErrorOptions {
  readonly cause?: unknown
  /** The database's own tag ("constraint violation"). */
  readonly reason?: string
  /** The database's own explanation. */
  readonly details?: string
  /** Which operation of the transaction failed, from 0; absent when it was the commit, or no transaction. */
  readonly operation?: number
}

/** The failures of the OVSDB edge. */
export class OvsdbError extends Error {
  readonly code: OvsdbErrorCode
  readonly reason: string | undefined
  readonly details: string | undefined
  readonly operation: number | undefined

  constructor(code: OvsdbErrorCode, message: string, options: OvsdbErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'OvsdbError'
    this.code = code
    this.reason = options.reason
    this.details = options.details
    this.operation = options.operation
  }
}
