import { createConnection, type Socket } from 'node:net'

/** A connection to a daemon's control socket: what `ovs-appctl` does, without a process for every question (JSON-RPC 1.0). */
export class Unixctl {
  readonly #socket: Socket
  readonly #waiting: Map<number, { resolve(text: string): void; reject(error: Error): void }> = new Map()
  #next = 0
  #rest = ''

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

  /** Answers follow each other without a separator: try at each closing brace. */
  #read(text: string): void {
    this.#rest += text
    for (let end = this.#rest.indexOf('}'); end >= 0; end = this.#rest.indexOf('}', end + 1)) {
      const answer = parse(this.#rest.slice(0, end + 1))
      if (answer === undefined) continue
      this.#rest = this.#rest.slice(end + 1)
      end = -1
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if (answer.error === null) waiting?.resolve(answer.result)
      else waiting?.reject(new Error(answer.error))
    }
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

function parse(text: string): { id: number; result: string; error: string | null } | undefined {
  try {
    return JSON.parse(text) as { id: number; result: string; error: string | null }
  } catch {
    return undefined
  }
}
