import type { KeyPair } from './keys.ts'
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

/** Of a bound socket that only lets in whom the ZAP handler of its context allows. With `zapEnforceDomain` nobody comes in while there is no handler. */
export interface CurveServerOptions {
  readonly curveServer: true
  readonly curveSecretKey: string
  readonly zapDomain: string
  readonly zapEnforceDomain: true
}

export function curveServerOptions(server: KeyPair): CurveServerOptions {
  return { curveServer: true, curveSecretKey: server.secretKey, zapDomain: 'netloom', zapEnforceDomain: true }
}

/** Of a connecting socket: who it is, and the only server it speaks to. */
export interface CurveClientOptions {
  readonly curveServerKey: string
  readonly curvePublicKey: string
  readonly curveSecretKey: string
}

export function curveClientOptions(own: KeyPair, serverKey: string): CurveClientOptions {
  return { curveServerKey: serverKey, curvePublicKey: own.publicKey, curveSecretKey: own.secretKey }
}
