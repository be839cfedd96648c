/** What can go wrong between the server and its sockets. */
export type HubErrorCode = 'insecure' | 'endpoint' | 'bind' | 'worker' | 'closed'

export class HubError extends Error {
  readonly code: HubErrorCode

  constructor(code: HubErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'HubError'
    this.code = code
  }
}
