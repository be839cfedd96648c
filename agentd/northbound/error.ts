/** What can go wrong between an agent and its server, or its disk. */
export type NorthboundErrorCode = 'timeout' | 'unreachable' | 'refused' | 'not-ready' | 'malformed' | 'closed' | 'disk'

export class NorthboundError extends Error {
  readonly code: NorthboundErrorCode
  /** The server said when it is to be asked again. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: NorthboundErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined },
  ) {
    super(message, options)
    this.name = 'NorthboundError'
    this.code = code
    this.retryAfterMs = options?.retryAfterMs
  }
}
