/**
 * Cuts a stream of concatenated JSON objects (RFC 7047 has no other framing) into their texts. Feed it decoded text; it returns what is complete.
 * Throws when the stream is not a sequence of objects or one exceeds `limit` characters.
 */
export class JsonSplitter {
  readonly #limit: number
  #text = ''
  #at = 0
  #depth = 0
  #inString = false
  #escaped = false

  constructor(limit: number = 256 * 1024 * 1024) {
    this.#limit = limit
  }

  push(chunk: string): string[] {
    this.#text += chunk
    const out: string[] = []
    let start = 0
    for (; this.#at < this.#text.length; this.#at++) {
      if (!this.#step(this.#text.charCodeAt(this.#at))) continue
      out.push(this.#text.slice(start, this.#at + 1))
      start = this.#at + 1
    }
    this.#text = this.#text.slice(start)
    this.#at -= start
    if (this.#text.length > this.#limit) throw new Error(`a message of more than ${this.#limit} characters`)
    return out
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
