/** `refused`: the database said no (its words in the message). `timeout`: vswitchd did not apply a change in time. */
export type OvsdbErrorCode = 'unreachable' | 'closed' | 'protocol' | 'refused' | 'timeout'

/** The failures of the OVSDB edge. */
export class OvsdbError extends Error {
  readonly code: OvsdbErrorCode
  constructor(code: OvsdbErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'OvsdbError'
    this.code = code
  }
}
