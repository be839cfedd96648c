import { Request as RequestSocket } from 'zeromq'
import { decodeReply, encode } from '../../src/wire/codec.ts'
import type { Reply, Request } from '../../src/wire/messages.ts'
import { socketOptions } from '../../src/wire/transport.ts'
import { NorthboundError } from './error.ts'

/** One REQ socket: one request at a time, in order. */
export interface Requester {
  /**
   * Throws `NorthboundError` (timeout, unreachable, malformed, closed). The same request may be sent again: its id makes it idempotent. `failures` in a
   * row double the time an answer may take: one that is given up again and again shortly before it comes would never arrive.
   */
  request(message: Request, failures?: number): Promise<Reply>
  close(): void
}

const LONGEST_WAIT_MS = 60_000

/**
 * `relaxed` and `correlate`: after a lost reply the socket may send again, and the late answer to the first is thrown away (a strict REQ would
 * hang for ever). `immediate`: nothing is queued for a server that is not there, so it is not flooded with stale requests when it returns.
 */
export function openRequester(endpoint: string, timeoutMs: number): Requester {
  const socket = new RequestSocket({
    ...socketOptions(timeoutMs),
    relaxed: true,
    correlate: true,
    immediate: true,
    sendTimeout: timeoutMs,
    receiveTimeout: timeoutMs,
    reconnectInterval: 100,
    reconnectMaxInterval: 2000,
  })
  socket.connect(endpoint)
  let tail: Promise<unknown> = Promise.resolve()

  async function exchange(message: Request, failures: number): Promise<Reply> {
    if (socket.closed) throw new NorthboundError('closed', `${endpoint} is closed`)
    const patience = Math.min(timeoutMs * 2 ** failures, LONGEST_WAIT_MS)
    socket.receiveTimeout = patience
    await socket.send(encode(message)).catch((cause: unknown) => fail('unreachable', `no connection to ${endpoint}`, cause))
    const frames = await socket.receive().catch((cause: unknown) => fail('timeout', `no answer from ${endpoint} in ${patience} ms`, cause))
    const [payload] = frames
    const decoded = payload === undefined ? undefined : decodeReply(payload)
    if (decoded?.ok !== true) throw new NorthboundError('malformed', `${endpoint} answered: ${decoded?.refusal.message ?? 'nothing'}`)
    if (decoded.message.id !== message.id && decoded.message.type !== 'refused') {
      throw new NorthboundError('malformed', `${endpoint} answered another request`)
    }
    return decoded.message
  }

  function fail(code: 'unreachable' | 'timeout', message: string, cause: unknown): never {
    throw socket.closed ? new NorthboundError('closed', `${endpoint} is closed`, { cause }) : new NorthboundError(code, message, { cause })
  }

  return {
    request(message, failures = 0) {
      const turn = tail.then(() => exchange(message, failures))
      tail = turn.catch(() => undefined)
      return turn
    },
    close: () => socket.close(),
  }
}

/** The reply, if it is of the expected type. Throws `NorthboundError` (not-ready, refused, malformed). */
export function expectReply<T extends Reply['type']>(reply: Reply, type: T): Extract<Reply, { readonly type: T }> {
  if (reply.type === 'refused') throw new NorthboundError(reply.code === 'not-ready' ? reply.code : 'refused', reply.message)
  if (reply.type !== type) throw new NorthboundError('malformed', `the server answered ${type} with ${reply.type}`)
  return reply as Extract<Reply, { readonly type: T }>
}
