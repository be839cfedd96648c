import { OpenFlowError } from './error.ts'

const HEADER = 8

/** Cuts a byte stream into OpenFlow messages by the length in their headers. Pieces may end anywhere. */
export class MessageCutter {
  #held: Buffer = Buffer.alloc(0)

  /** Whole messages, header included. They share memory with `piece`. Throws OpenFlowError `protocol` for an impossible length. */
  push(piece: Buffer): Buffer[] {
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece])
    const messages: Buffer[] = []
    let at = 0
    while (bytes.length - at >= HEADER) {
      const length = bytes.readUInt16BE(at + 2)
      if (length < HEADER) throw new OpenFlowError('protocol', `a message of ${length} bytes`)
      if (bytes.length - at < length) break
      messages.push(bytes.subarray(at, at + length))
      at += length
    }
    this.#held = bytes.subarray(at)
    return messages
  }
}
