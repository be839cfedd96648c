import { MAX_MESSAGE } from './messages.ts'

/**
 * Options of every socket, at both ends; to be set before bind or connect. Linger 0: else one queued message keeps the process alive for ever.
 * ZMTP heartbeats: without them a subscriber stays deaf on a half-open connection. IPv6 is off by default and then `tcp://[::1]` fails.
 */
export interface SocketOptions {
  readonly linger: 0
  readonly ipv6: true
  readonly maxMessageSize: number
  readonly heartbeatInterval: number
  readonly heartbeatTimeout: number
  readonly heartbeatTimeToLive: number
}

export function socketOptions(heartbeatMs: number): SocketOptions {
  return {
    linger: 0,
    ipv6: true,
    maxMessageSize: MAX_MESSAGE,
    heartbeatInterval: heartbeatMs,
    heartbeatTimeout: heartbeatMs * 3,
    heartbeatTimeToLive: heartbeatMs * 3,
  }
}
