import { OvsdbError } from './error.ts'

/**
 * Cuts a stream of concatenated JSON objects (RFC 7047 has no other framing) into their texts. Feed it decoded text; it returns what is complete.
 * Throws OvsdbError `protocol` when one exceeds `limit` characters.
 */
export class JsonSplitter {
  readonly #limit: number
  /** Beginning of an object whose end has not come; joined once, at its end. */
  #pieces: string[] = []
  #held = 0
  #depth = 0
  #inString = false
  #escaped = false

  constructor(limit: number = 256 * 1024 * 1024) {
    this.#limit = limit
  }

  push(chunk: string): string[] {
    const out: string[] = []
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      if (!this.#step(chunk.charCodeAt(at))) continue
      out.push(this.#pieces.join('') + chunk.slice(start, at + 1))
      this.#pieces = []
      this.#held = 0
      start = at + 1
    }
    if (start < chunk.length) this.#hold(chunk.slice(start))
    return out
  }

  #hold(piece: string): void {
    this.#pieces.push(piece)
    this.#held += piece.length
    if (this.#held > this.#limit) throw new OvsdbError('protocol', `a message of more than ${this.#limit} characters`)
  }

  /** True when this character ends an object. */
  #step(c: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false
      else if (c === BACKSLASH) this.#escaped = true
      else if (c === QUOTE) this.#inString = false
      return false
    }
    if (c === QUOTE) this.#inString = true
    else if (c === OPEN || c === OPEN_LIST) this.#depth++
    else if (c === CLOSE || c === CLOSE_LIST) return --this.#depth === 0
    return false
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
