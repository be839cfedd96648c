/** What can go wrong between an agent and its server, or its disk. */
export type NorthboundErrorCode = 'timeout' | 'unreachable' | 'refused' | 'not-ready' | 'malformed' | 'closed' | 'disk'

export class NorthboundError extends Error {
  readonly code: NorthboundErrorCode

  constructor(code: NorthboundErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'NorthboundError'
    this.code = code
  }
}
