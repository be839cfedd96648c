import { Subscriber } from 'zeromq'
import { decodePublished, type Received } from '../../src/wire/codec.ts'
import { HEARTBEAT_TOPIC, hostTopic } from '../../src/wire/messages.ts'
import { socketOptions } from '../../src/wire/transport.ts'

export interface Subscription {
  readonly endpoint: string
  close(): void
}

/** Two topics and no more: the host's own and the heartbeat. What cannot be decoded is told to `onBad` and is otherwise as good as lost. */
export function subscribe(
  endpoint: string,
  host: string,
  heartbeatMs: number,
  onMessage: (message: Received) => void,
  onBad: (reason: string) => void,
): Subscription {
  const socket = new Subscriber({ ...socketOptions(heartbeatMs), reconnectInterval: 100, reconnectMaxInterval: 2000 })
  socket.connect(endpoint)
  socket.subscribe(hostTopic(host), HEARTBEAT_TOPIC)
  const read = async (): Promise<void> => {
    for await (const frames of socket) {
      const decoded = decodePublished(frames)
      if (!decoded.ok) onBad(decoded.refusal.message)
      // A topic is a prefix match, and the header says whom it is for.
      else if (decoded.message.type === 'heartbeat' || decoded.message.header.host === host) onMessage(decoded.message)
    }
  }
  read().catch((error: unknown) => {
    if (!socket.closed) onBad(String(error))
  })
  return { endpoint, close: () => socket.close() }
}
