import { Context, type Publisher, type Router } from 'zeromq'
import type { KeyPair } from '../../wire/keys.ts'
import { type CurveServerOptions, curveServerOptions, type SocketOptions, socketOptions } from '../../wire/transport.ts'
import type { GateRefusal } from './gate.ts'
import type { Keyring } from './keyring.ts'
import { openZap, type Zap } from './zap.ts'

/** What the bound sockets of one thread have in common: their options, who decides whom to let in, and who hears of the refused. */
export interface Doorway {
  /** A new object at each call: zeromq.js takes the context out of the one that it is given, and the next socket would be in another context, without a handler. */
  options(): SocketOptions & Partial<CurveServerOptions> & { readonly context?: Context }
  /** To be called before the socket is bound. */
  watch(socket: Publisher | Router): void
  setKeys(keyring: Keyring): void
  close(): void
}

const HANDSHAKE: GateRefusal = { reason: 'handshake', host: '', detail: 'a peer without keys, or with the key of another server' }

/** With keys the sockets get a context of their own, whose ZAP handler this is; without, everybody is let in. */
export async function openDoorway(
  heartbeatMs: number,
  keys: KeyPair | undefined,
  onRefused: (refused: GateRefusal) => void,
): Promise<Doorway> {
  const options = socketOptions(heartbeatMs)
  if (keys === undefined)
    return { options: () => ({ ...options }), watch: () => undefined, setKeys: () => undefined, close: () => undefined }
  const context = new Context()
  const zap: Zap = await openZap(context, onRefused)
  return {
    options: () => ({ ...options, context, ...curveServerOptions(keys) }),
    watch(socket) {
      // `…:auth` is what the ZAP handler refused, and has been told already.
      for (const event of ['handshake:error:protocol', 'handshake:error:other'] as const)
        socket.events.on(event, () => onRefused(HANDSHAKE))
    },
    setKeys: (keyring) => zap.setKeys(keyring),
    close: () => zap.close(),
  }
}
