import { randomUUID } from 'node:crypto'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { type Arrival, type LossReport, lossReport } from '../loss.ts'
import { nowMs } from './clock.ts'
import { randomPayload, SHA256_BYTES, sha256 } from './payload.ts'
import { type FlowEnd, type GuestAsk, PROBE_PORT, type ProbeAnswer } from './protocol.ts'

/** First byte of a datagram: a question to be answered in kind, or a numbered packet of a counted flow. */
const QUESTION = 0x51
const ANSWER = 0x41
const FLOW = 0x46
const NONCE_BYTES = 36
const FLOW_HEAD = 1 + 4 + 4 + 8
/** Payload of a counted packet: of the size of a small voice packet. */
const FLOW_PACKET_BYTES = 160
const RETRY_MS = 200
/** How many times its rate a flow may send to make up for a pause. */
const CATCH_UP = 4
/** Asked for; the kernel gives at most net.core.rmem_max. A busy machine then delays packets and does not lose them. */
const RECEIVE_BUFFER = 4 << 20

/** Arrivals per flow number. */
export type Arrivals = Map<number, Arrival[]>

/** Answers questions and notes the packets of flows, both address families. */
export async function serveUdp(port: number, arrivals: Arrivals): Promise<void> {
  for (const type of ['udp4', 'udp6'] as const) {
    const socket = createSocket({ type, ipv6Only: type === 'udp6' })
    socket.on('message', (data, from) => onDatagram(socket, data, from, arrivals))
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(port, () => resolve())
    })
    socket.setRecvBufferSize(RECEIVE_BUFFER)
    socket.off('error', () => {})
    socket.on('error', () => {})
  }
}

function onDatagram(socket: Socket, data: Buffer, from: RemoteInfo, arrivals: Arrivals): void {
  if (data[0] === FLOW && data.length >= FLOW_HEAD) {
    const list = arrivals.get(data.readUInt32BE(1)) ?? []
    if (list.length === 0) arrivals.set(data.readUInt32BE(1), list)
    list.push({ seq: data.readUInt32BE(5), sent_ms: data.readDoubleBE(9), arrived_ms: nowMs() })
    return
  }
  if (data[0] !== QUESTION) return
  const payload = data.subarray(1 + NONCE_BYTES)
  const back = randomPayload(Math.max(0, payload.length - 2 * SHA256_BYTES))
  const answer = Buffer.concat([Buffer.from([ANSWER]), data.subarray(1, 1 + NONCE_BYTES), sha256(payload), sha256(back), back])
  socket.send(answer, from.port, from.address, () => {})
}

/** One question with `bytes` of payload (at least 64), answered by as many. ARP, ND and the first packet's upcall may eat the first try. */
export function udpExchange(address: string, port: number, bytes: number, timeoutMs: number): Promise<ProbeAnswer> {
  const start = nowMs()
  const nonce = Buffer.from(randomUUID())
  const payload = randomPayload(Math.max(bytes, 2 * SHA256_BYTES))
  const question = Buffer.concat([Buffer.from([QUESTION]), nonce, payload])
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  return new Promise((resolve) => {
    let problem = 'no answer'
    const done = (detail?: string): void => {
      clearInterval(retry)
      clearTimeout(timer)
      socket.close()
      resolve({ ok: detail === undefined, ms: nowMs() - start, ...(detail === undefined ? {} : { detail }) })
    }
    const ask = (): void => socket.send(question, port, address, (error) => (error === null ? undefined : (problem = error.message)))
    const timer = setTimeout(() => done(problem), timeoutMs)
    const retry = setInterval(ask, RETRY_MS)
    socket.on('error', (error) => {
      problem = error.message
    })
    socket.on('message', (data) => {
      if (data[0] !== ANSWER || !data.subarray(1, 1 + NONCE_BYTES).equals(nonce)) return
      done(checkAnswer(data.subarray(1 + NONCE_BYTES), payload))
    })
    ask()
  })
}

function checkAnswer(answer: Buffer, payload: Buffer): string | undefined {
  if (answer.length !== payload.length) return `${answer.length} bytes came back`
  if (!answer.subarray(0, SHA256_BYTES).equals(sha256(payload))) return 'the payload arrived altered'
  return answer.subarray(SHA256_BYTES, 2 * SHA256_BYTES).equals(sha256(answer.subarray(2 * SHA256_BYTES)))
    ? undefined
    : 'the payload came back altered'
}

/** A counted flow: numbered packets at a steady rate until it is ended. */
export class UdpFlow {
  readonly #ask: Extract<GuestAsk, { op: 'flow-send' }>
  readonly #socket: Socket
  readonly #timer: NodeJS.Timeout
  readonly #first = nowMs()
  readonly #errors = new Set<string>()
  #last = this.#first
  #pause = 0
  #sent = 0

  constructor(ask: Extract<GuestAsk, { op: 'flow-send' }>) {
    this.#ask = ask
    this.#socket = this.#open()
    // A timer of 1 ms that sends what is due: after a pause of this process the rate is made up for, but not all at once, which would count what queues lose.
    const most = Math.ceil((CATCH_UP * ask.pps) / 1000)
    this.#timer = setInterval(() => {
      const due = Math.floor(((nowMs() - this.#first) * ask.pps) / 1000) + 1
      for (let n = 0; n < most && this.#sent < due; n++) this.#send()
    }, 1)
  }

  end(): FlowEnd {
    clearInterval(this.#timer)
    this.#socket.close()
    return { sent: this.#sent, first_ms: this.#first, last_ms: this.#last, send_gap_ms: this.#pause, errors: [...this.#errors] }
  }

  #open(): Socket {
    const socket = createSocket(this.#ask.address.includes(':') ? 'udp6' : 'udp4')
    socket.on('error', (error) => this.#errors.add(error.message))
    return socket
  }

  #send(): void {
    const { flow, address, port = PROBE_PORT, fresh = false } = this.#ask
    const packet = Buffer.alloc(FLOW_PACKET_BYTES)
    const now = nowMs()
    packet.writeUInt8(FLOW, 0)
    packet.writeUInt32BE(flow, 1)
    packet.writeUInt32BE(this.#sent, 5)
    packet.writeDoubleBE(now, 9)
    const socket = fresh ? this.#open() : this.#socket
    socket.send(packet, port, address, (error) => {
      if (error !== null) this.#errors.add(error.message)
      if (fresh) socket.close()
    })
    this.#pause = Math.max(this.#pause, now - this.#last)
    this.#last = now
    this.#sent++
  }
}

/** Ends the count of a flow at its receiver. */
export function countFlow(arrivals: Arrivals, flow: number, ended: FlowEnd): LossReport {
  const list = arrivals.get(flow) ?? []
  arrivals.delete(flow)
  return lossReport(list, ended, droppedAtSocket())
}

/** Datagrams that found the receive buffer of the probe port full (last column of /proc/net/udp and udp6). */
function droppedAtSocket(): number {
  const port = `:${PROBE_PORT.toString(16).toUpperCase().padStart(4, '0')}`
  return ['/proc/net/udp', '/proc/net/udp6']
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(port))
    .reduce((sum, columns) => sum + Number(columns.at(-1)), 0)
}
