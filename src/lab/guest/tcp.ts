import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { nowMs } from './clock.ts'
import { randomPayload, SHA256_BYTES, sha256 } from './payload.ts'
import { PROBE_PORT, type ProbeAnswer, type StreamReport } from './protocol.ts'

/** First byte of a connection: an exchange of known length both ways, or a stream until the sender closes. */
const EXCHANGE = 0x45
const STREAM = 0x53
const EXCHANGE_HEAD = 5

/** Answers exchanges and streams. Rejects when the port is taken. */
export function serveTcp(port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('readable', () => {
      const kind: Buffer | null = socket.read(1)
      if (kind?.[0] === EXCHANGE) answerExchange(socket)
      else if (kind?.[0] === STREAM) answerStream(socket)
      else socket.destroy()
    })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // '::' takes IPv4 as well; a guest without IPv6 in its kernel gets the second try.
    server.listen({ port, host: '::' }, () => resolve(server))
  })
}

/** Request: kind, length (u32), payload. Answer: SHA-256 of what came, SHA-256 of what follows, as much payload. */
function answerExchange(socket: Socket): void {
  let received = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    const want = received.length >= EXCHANGE_HEAD - 1 ? received.readUInt32BE(0) : Number.POSITIVE_INFINITY
    if (received.length < EXCHANGE_HEAD - 1 + want) return
    const back = randomPayload(want)
    socket.end(Buffer.concat([sha256(received.subarray(EXCHANGE_HEAD - 1, EXCHANGE_HEAD - 1 + want)), sha256(back), back]))
  })
}

export function tcpExchange(address: string, port: number, bytes: number, timeoutMs: number): Promise<ProbeAnswer> {
  const start = nowMs()
  const payload = randomPayload(bytes)
  const head = Buffer.alloc(EXCHANGE_HEAD)
  head.writeUInt8(EXCHANGE, 0)
  head.writeUInt32BE(bytes, 1)
  return new Promise((resolve) => {
    const received: Buffer[] = []
    const socket = connect({ host: address, port })
    const done = (detail?: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ ok: detail === undefined, ms: nowMs() - start, ...(detail === undefined ? {} : { detail }) })
    }
    const timer = setTimeout(() => done(socket.connecting ? 'not connected in time' : 'payload not returned in time'), timeoutMs)
    socket.on('connect', () => socket.write(Buffer.concat([head, payload])))
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    socket.on('error', (error) => done(error.message))
    socket.on('end', () => done(checkExchange(Buffer.concat(received), payload)))
  })
}

/** Undefined when both directions arrived whole. */
function checkExchange(answer: Buffer, payload: Buffer): string | undefined {
  if (answer.length !== 2 * SHA256_BYTES + payload.length) return `${answer.length} bytes came back`
  if (!answer.subarray(0, SHA256_BYTES).equals(sha256(payload))) return 'the payload arrived altered'
  const back = answer.subarray(2 * SHA256_BYTES)
  return answer.subarray(SHA256_BYTES, 2 * SHA256_BYTES).equals(sha256(back)) ? undefined : 'the payload came back altered'
}

/** Reads until the sender closes its half, then says what came: `{bytes, sha256, largest_gap_ms}`. */
function answerStream(socket: Socket): void {
  const hash = createHash('sha256')
  let bytes = 0
  let last = nowMs()
  let gap = 0
  socket.on('data', (chunk: Buffer) => {
    const now = nowMs()
    gap = Math.max(gap, now - last)
    last = now
    bytes += chunk.length
    hash.update(chunk)
  })
  socket.on('end', () => socket.end(JSON.stringify({ bytes, sha256: hash.digest('hex'), largest_gap_ms: Math.round(gap * 10) / 10 })))
}

/** How often a stream writes; the receiver's gaps are seen to this grain. */
const STREAM_TICK_MS = 5

/** A checked transfer that runs until it is ended. */
export class TcpStream {
  readonly #socket: Socket
  readonly #timer: NodeJS.Timeout
  readonly #hash = createHash('sha256')
  readonly #answer: Buffer[] = []
  readonly #retransmittedBefore = retransmitted()
  #bytes = 0
  #error: string | undefined

  private constructor(socket: Socket, bytesPerSecond: number) {
    this.#socket = socket
    const chunk = Math.max(1, Math.round((bytesPerSecond * STREAM_TICK_MS) / 1000))
    socket.on('data', (data: Buffer) => this.#answer.push(data))
    socket.on('error', (error) => {
      this.#error = error.message
    })
    socket.write(Buffer.from([STREAM]))
    // What the path does not take is not piled up in memory.
    this.#timer = setInterval(() => (socket.writableNeedDrain ? undefined : this.#write(chunk)), STREAM_TICK_MS)
  }

  /** Rejects when the connection is not made. */
  static open(address: string, bytesPerSecond: number): Promise<TcpStream> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address, port: PROBE_PORT, allowHalfOpen: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new TcpStream(socket, bytesPerSecond))
      })
    })
  }

  /** Ends the transfer and waits for the receiver's account of it. */
  end(timeoutMs: number): Promise<StreamReport> {
    clearInterval(this.#timer)
    this.#socket.end()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#socket.destroy()
        resolve(this.#report())
      }
      const timer = setTimeout(done, timeoutMs)
      this.#socket.on('close', done)
      if (this.#socket.closed) done()
    })
  }

  #write(bytes: number): void {
    if (this.#error !== undefined) return
    const chunk = randomPayload(bytes)
    this.#hash.update(chunk)
    this.#bytes += bytes
    this.#socket.write(chunk)
  }

  #report(): StreamReport {
    const base = { bytes: this.#bytes, retransmitted: retransmitted() - this.#retransmittedBefore }
    const text = Buffer.concat(this.#answer).toString()
    if (text === '')
      return { ...base, ok: false, received: 0, largest_gap_ms: 0, detail: this.#error ?? 'the receiver did not answer in time' }
    // The other end is this very program.
    const got = JSON.parse(text) as { bytes: number; sha256: string; largest_gap_ms: number }
    const ok = got.bytes === this.#bytes && got.sha256 === this.#hash.digest('hex')
    return { ...base, ok, received: got.bytes, largest_gap_ms: got.largest_gap_ms, ...(ok ? {} : { detail: 'not what was sent' }) }
  }
}

/** TCP segments this namespace has sent again (RetransSegs of RFC 4022, in /proc/net/snmp). */
export function retransmitted(): number {
  const [names, values] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '))
  return Number(values?.[names?.indexOf('RetransSegs') ?? -1] ?? 0)
}
