import { Subscriber } from 'zeromq'
import { decodePublished, type Received } from '../../src/wire/codec.ts'
import { HEARTBEAT_TOPIC, hostTopic, type Speaks } from '../../src/wire/messages.ts'
import { openPublished } from '../../src/wire/seal.ts'
import { socketOptions } from '../../src/wire/transport.ts'
import { onHandshakeTrouble } from './handshake.ts'
import type { Identity } from './identity.ts'

export interface Subscription {
  readonly endpoint: string
  close(): void
}

export interface SubscriptionOptions {
  readonly host: string
  readonly heartbeatMs: number
  /** With keys: how to connect, and how to open what is for this host. */
  readonly identity: Identity | undefined
  readonly speaks: Speaks
  readonly onMessage: (message: Received) => void
  readonly onBad: (reason: string) => void
}

/** A refused connection is tried again so many milliseconds later; the requests say why. */
const REFUSED_RETRY_MS = 1000

/** Two topics and no more: the host's own and the heartbeat. What cannot be decoded is told to `onBad` and is otherwise as good as lost. */
export function subscribe(endpoint: string, options: SubscriptionOptions): Subscription {
  const { host, identity, onMessage, onBad } = options
  let closed = false
  let retry: NodeJS.Timeout | undefined
  let socket = open()

  function open(): Subscriber {
    const next = new Subscriber({
      ...socketOptions(options.heartbeatMs),
      ...identity?.curve,
      reconnectInterval: 100,
      reconnectMaxInterval: 2000,
    })
    onHandshakeTrouble(next, identity !== undefined, (_, final) => {
      if (!final || closed || next.closed) return
      next.close()
      retry = setTimeout(() => {
        socket = open()
      }, REFUSED_RETRY_MS)
    })
    next.connect(endpoint)
    next.subscribe(hostTopic(host), HEARTBEAT_TOPIC)
    read(next).catch((error: unknown) => {
      if (!next.closed) onBad(String(error))
    })
    return next
  }

  async function read(from: Subscriber): Promise<void> {
    for await (const frames of from) take(frames)
  }

  function take(frames: readonly Uint8Array[]): void {
    const plain = identity === undefined || Buffer.from(frames[0] ?? []).toString('utf8') === HEARTBEAT_TOPIC
    const opened = plain ? frames : openPublished(identity.seal, frames)
    const decoded = opened === undefined ? undefined : decodePublished(opened, options.speaks)
    if (decoded === undefined) onBad('it is not sealed for this host')
    else if (!decoded.ok) onBad(decoded.refusal.message)
    // A topic is a prefix match, and the header says whom it is for.
    else if (decoded.message.type === 'heartbeat' || decoded.message.header.host === host) onMessage(decoded.message)
  }

  return {
    endpoint,
    close() {
      closed = true
      clearTimeout(retry)
      socket.close()
    },
  }
}
