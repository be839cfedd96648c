import { connect, type Socket } from 'node:net'
import { isRecord } from '../../../../src/lib/json.ts'
import { OvsdbError } from './error.ts'
import { JsonSplitter } from './framing.ts'

export interface SessionOptions {
  /** `unix:/path` or `tcp:address:port`. */
  readonly endpoint: string
  /** Milliseconds to wait for the connection. */
  readonly connectTimeout: number
  /** Milliseconds of silence after which the server is asked whether it lives; the connection ends when it does not answer for as long again. */
  readonly probeInterval: number
  readonly onNotification: (method: string, params: readonly unknown[]) => void
  /** Called once, whatever ended the connection. */
  readonly onClose: (reason: OvsdbError) => void
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: OvsdbError) => void
}

/** One connection that speaks the JSON-RPC of RFC 7047 (section 4): requests both ways, notifications, echo. */
export class Session {
  readonly #socket: Socket
  readonly #options: SessionOptions
  readonly #waiting: Map<number, Waiting> = new Map()
  readonly #splitter: JsonSplitter = new JsonSplitter()
  readonly #probe: NodeJS.Timeout
  #nextId = 1
  #lastHeard: number = Date.now()
  /** When the server was asked whether it lives, and has not said anything since. */
  #asked: number | undefined
  #closed: OvsdbError | undefined

  private constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket
    this.#options = options
    socket.setEncoding('utf8')
    socket.on('data', (piece: string) => this.#receive(piece))
    socket.on('error', (cause) => this.#end(new OvsdbError('closed', `the connection to ovsdb-server broke: ${cause.message}`, { cause })))
    socket.on('close', () => this.#end(new OvsdbError('closed', 'ovsdb-server closed the connection')))
    this.#probe = setInterval(() => this.#checkAlive(), options.probeInterval)
    this.#probe.unref()
  }

  /** Throws OvsdbError `unreachable`. */
  static async open(options: SessionOptions): Promise<Session> {
    return new Session(await openSocket(options.endpoint, options.connectTimeout), options)
  }

  /** The result of a request. Rejects with OvsdbError: `refused` with the server's words, `closed`, `timeout`. */
  request(method: string, params: readonly unknown[], timeout?: number): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed)
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const timer = timeout === undefined ? undefined : setTimeout(() => this.#expire(id, method, timeout), timeout)
      const done = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(id)
      }
      this.#waiting.set(id, {
        resolve: (result) => {
          done()
          resolve(result)
        },
        reject: (error) => {
          done()
          reject(error)
        },
      })
      this.#send({ method, params, id })
    })
  }

  close(): void {
    this.#end(new OvsdbError('closed', 'the connection to ovsdb-server was closed'))
  }

  #send(message: Readonly<Record<string, unknown>>): void {
    this.#socket.write(JSON.stringify(message))
  }

  #expire(id: number, method: string, timeout: number): void {
    this.#waiting.get(id)?.reject(new OvsdbError('timeout', `ovsdb-server did not answer "${method}" within ${timeout} ms`))
  }

  #receive(piece: string): void {
    this.#lastHeard = Date.now()
    this.#asked = undefined
    try {
      for (const text of this.#splitter.push(piece)) this.#dispatch(parseMessage(text))
    } catch (error) {
      // Anything else is a fault of ours, or of a listener.
      if (!(error instanceof OvsdbError)) throw error
      this.#end(error)
    }
  }

  #dispatch(message: unknown): void {
    if (!isRecord(message)) throw new OvsdbError('protocol', 'a message is no object')
    const { method, params, id } = message
    if (typeof method === 'string' && Array.isArray(params)) {
      if (method === 'echo') this.#send({ result: params, error: null, id: id ?? null })
      else if (id === null || id === undefined) this.#options.onNotification(method, params)
      return
    }
    const waiting = typeof id === 'number' ? this.#waiting.get(id) : undefined
    if (waiting === undefined) return
    const { error, result } = message
    if (error === null || error === undefined) waiting.resolve(result)
    else waiting.reject(refusal(error))
  }

  /** Silence alone proves nothing: only a question that was asked almost an interval ago. What came while this process slept is read first. */
  #checkAlive(): void {
    const now = Date.now()
    const asked = this.#asked
    if (asked === undefined) {
      if (now - this.#lastHeard < 0.9 * this.#options.probeInterval) return
      this.#asked = now
      this.#send({ method: 'echo', params: [], id: 'probe' })
    } else if (now - asked >= 0.9 * this.#options.probeInterval) {
      setImmediate(() => {
        if (this.#asked === asked) this.#end(new OvsdbError('closed', `ovsdb-server is silent for ${now - this.#lastHeard} ms`))
      })
    }
  }

  #end(reason: OvsdbError): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    clearInterval(this.#probe)
    this.#socket.destroy()
    for (const waiting of [...this.#waiting.values()]) waiting.reject(reason)
    this.#options.onClose(reason)
  }
}

function parseMessage(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new OvsdbError('protocol', `ovsdb-server sent what is not JSON: ${text.slice(0, 200)}`, { cause })
  }
}

function refusal(error: unknown): OvsdbError {
  if (!isRecord(error))
    return new OvsdbError('refused', `ovsdb-server refused the request: ${JSON.stringify(error)}`, { reason: String(error) })
  const reason = String(error['error'])
  const details = String(error['details'] ?? '')
  return new OvsdbError('refused', `ovsdb-server refused the request: ${reason}: ${details}`, { reason, details })
}

function openSocket(endpoint: string, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketAddress(endpoint))
    const fail = (why: string, cause?: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(new OvsdbError('unreachable', `OVSDB ${endpoint} does not answer: ${why}; is ovsdb-server running?`, { cause }))
    }
    const timer = setTimeout(() => fail(`nothing within ${timeout} ms`), timeout)
    const onError = (cause: Error): void => fail(cause.message, cause)
    socket.once('error', onError)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', onError)
      resolve(socket)
    })
  })
}

/** Throws OvsdbError `unreachable` for what is no endpoint. */
export function socketAddress(endpoint: string): { path: string } | { host: string; port: number } {
  if (endpoint.startsWith('unix:')) return { path: endpoint.slice(5) }
  const tcp = /^tcp:\[?([^\]]+?)\]?:(\d+)$/.exec(endpoint)
  if (tcp?.[1] === undefined)
    throw new OvsdbError('unreachable', `not an OVSDB endpoint: ${endpoint} (expected unix:/path or tcp:address:port)`)
  return { host: tcp[1], port: Number(tcp[2]) }
}
