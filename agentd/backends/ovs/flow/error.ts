export type FlowErrorCode = 'unknown-match' | 'unknown-action' | 'bad-value' | 'bad-syntax'

/** A flow that cannot be read, from text or as a value. The message quotes the part at fault. */
export class FlowError extends Error {
  readonly code: FlowErrorCode
  /** The text at fault. */
  readonly text: string

  constructor(code: FlowErrorCode, text: string, message: string) {
    super(message)
    this.name = 'FlowError'
    this.code = code
    this.text = text
  }
}

export function badValue(text: string, why: string): FlowError {
  return new FlowError('bad-value', text, `"${text}": ${why}`)
}
