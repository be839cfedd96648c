import { Request as RequestSocket } from 'zeromq'
import { decodeReply, encode } from '../../src/wire/codec.ts'
import type { Reply, Request, Speaks } from '../../src/wire/messages.ts'
import type { Door } from '../../src/wire/signature.ts'
import { socketOptions } from '../../src/wire/transport.ts'
import { SPEAKS } from '../../src/wire/versions.ts'
import { NorthboundError } from './error.ts'
import { onHandshakeTrouble } from './handshake.ts'
import type { Identity } from './identity.ts'

/** One REQ socket: one request at a time, in order. */
export interface Requester {
  /**
   * Throws `NorthboundError` (timeout, unreachable, malformed, closed). The same request may be sent again: its id makes it idempotent. `failures` in a
   * row double the time an answer may take: one that is given up again and again shortly before it comes would never arrive.
   */
  request(message: Request, failures?: number): Promise<Reply>
  close(): void
}

/** Who asks, and at which of the server's doors. */
export interface Proof {
  readonly identity: Identity
  readonly door: Door
}

const LONGEST_WAIT_MS = 60_000

/**
 * `relaxed` and `correlate`: after a lost reply the socket may send again, and the late answer to the first is thrown away (a strict REQ would
 * hang for ever). `immediate`: nothing is queued for a server that is not there, so it is not flooded with stale requests when it returns.
 * With `proof` the connection is encrypted and every attempt is signed.
 */
export function openRequester(endpoint: string, timeoutMs: number, proof?: Proof, speaks: Speaks = SPEAKS): Requester {
  const signer = proof?.identity.signers[proof.door]
  let connection = connect(endpoint, timeoutMs, proof?.identity)
  let closed = false
  let tail: Promise<unknown> = Promise.resolve()

  async function exchange(message: Request, failures: number): Promise<Reply> {
    const reply = await attempt(message, failures)
    if (reply.type !== 'refused' || reply.code !== 'replayed' || reply.after === undefined || signer === undefined) return reply
    // The server counts from further on than this host's clock: it said from where.
    signer.advance(reply.after)
    return await attempt(message, failures)
  }

  async function attempt(message: Request, failures: number): Promise<Reply> {
    if (closed) throw new NorthboundError('closed', `${endpoint} is closed`)
    if (connection.socket.closed) connection = connect(endpoint, timeoutMs, proof?.identity)
    const { socket } = connection
    const patience = Math.min(timeoutMs * 2 ** failures, LONGEST_WAIT_MS)
    socket.receiveTimeout = patience
    const payload = encode(message)
    const frames = signer === undefined ? [payload] : [signer.sign(payload), payload]
    await socket.send(frames).catch((cause: unknown) => fail('unreachable', `no connection to ${endpoint}`, cause))
    const [answer] = await socket
      .receive()
      .catch((cause: unknown) => fail('timeout', `no answer from ${endpoint} in ${patience} ms`, cause))
    connection.trouble = undefined
    const decoded = answer === undefined ? undefined : decodeReply(answer, speaks)
    if (decoded?.ok !== true) throw new NorthboundError('malformed', `${endpoint} answered: ${decoded?.refusal.message ?? 'nothing'}`)
    if (decoded.message.id !== message.id && decoded.message.type !== 'refused') {
      throw new NorthboundError('malformed', `${endpoint} answered another request`)
    }
    return decoded.message
  }

  function fail(code: 'unreachable' | 'timeout', message: string, cause: unknown): never {
    const { socket, trouble } = connection
    if (closed) throw new NorthboundError('closed', `${endpoint} is closed`, { cause })
    if (trouble === undefined) throw new NorthboundError(code, message, { cause })
    throw new NorthboundError(socket.closed ? 'refused' : code, `${endpoint}: ${trouble}`, { cause })
  }

  return {
    request(message, failures = 0) {
      const turn = tail.then(() => exchange(message, failures))
      tail = turn.catch(() => undefined)
      return turn
    },
    close() {
      closed = true
      connection.socket.close()
    },
  }
}

interface Connection {
  readonly socket: RequestSocket
  /** Why the last handshake came to nothing. */
  trouble: string | undefined
}

function connect(endpoint: string, timeoutMs: number, identity: Identity | undefined): Connection {
  const socket = new RequestSocket({
    ...socketOptions(timeoutMs),
    ...identity?.curve,
    relaxed: true,
    correlate: true,
    immediate: true,
    sendTimeout: timeoutMs,
    receiveTimeout: timeoutMs,
    reconnectInterval: 100,
    reconnectMaxInterval: 2000,
  })
  const connection: Connection = { socket, trouble: undefined }
  onHandshakeTrouble(socket, identity !== undefined, (trouble, final) => {
    connection.trouble = trouble
    if (final) socket.close()
  })
  socket.connect(endpoint)
  return connection
}

/** The reply, if it is of the expected type. Throws `NorthboundError` (not-ready, refused, malformed). */
export function expectReply<T extends Reply['type']>(reply: Reply, type: T): Extract<Reply, { readonly type: T }> {
  if (reply.type === 'refused') {
    const later = reply.code === 'not-ready' || reply.code === 'busy'
    throw new NorthboundError(later ? 'not-ready' : 'refused', reply.message, { retryAfterMs: reply.retry_after_ms })
  }
  if (reply.type !== type) throw new NorthboundError('malformed', `the server answered ${type} with ${reply.type}`)
  return reply as Extract<Reply, { readonly type: T }>
}
