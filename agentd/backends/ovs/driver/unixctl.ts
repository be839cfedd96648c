import { createConnection, type Socket } from 'node:net'

/** A connection to a daemon's control socket: what `ovs-appctl` does, without a process for every question (JSON-RPC 1.0). */
export class Unixctl {
  readonly #socket: Socket
  readonly #waiting: Map<number, { resolve(text: string): void; reject(error: Error): void }> = new Map()
  #next = 0
  #pieces: string[] = []
  readonly #end: ObjectEnd = new ObjectEnd()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the daemon closed its control socket')))
  }

  static async connect(path: string): Promise<Unixctl> {
    const socket = createConnection(path)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new Unixctl(socket)
  }

  /** The answer's text. Rejects with the daemon's own words. */
  call(method: string, ...params: readonly string[]): Promise<string> {
    const id = this.#next++
    this.#socket.write(JSON.stringify({ id, method, params }))
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  close(): void {
    this.#waiting.clear()
    this.#socket.destroy()
  }

  /** Answers follow each other without a separator, and one may come in thousands of pieces: each character is looked at once. */
  #read(text: string): void {
    let from = 0
    for (let at = 0; at < text.length; at++) {
      if (!this.#end.ends(text.charCodeAt(at))) continue
      this.#answer(this.#pieces.join('') + text.slice(from, at + 1))
      this.#pieces = []
      from = at + 1
    }
    if (from < text.length) this.#pieces.push(text.slice(from))
  }

  #answer(text: string): void {
    const { id, result, error } = JSON.parse(text) as { id: number; result: string; error: string | null }
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === null) waiting?.resolve(result)
    else waiting?.reject(new Error(error))
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d

/** Knows where a JSON object is over, one character after the other. */
class ObjectEnd {
  #depth = 0
  #quoted = false
  #escaped = false

  /** Whether this one is the last of an object. */
  ends(character: number): boolean {
    if (this.#escaped) this.#escaped = false
    else if (this.#quoted && character === BACKSLASH) this.#escaped = true
    else if (character === QUOTE) this.#quoted = !this.#quoted
    else if (this.#quoted) return false
    else if (character === OPEN) this.#depth++
    else if (character === CLOSE) return --this.#depth === 0
    return false
  }
}
