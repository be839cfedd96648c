import { type Context, Router } from 'zeromq'
import { encodeZ85 } from '../../lib/z85.ts'
import type { GateRefusal } from './gate.ts'
import type { Keyring } from './keyring.ts'

/** Whom ZeroMQ lets in (ZAP, RFC 27): asked by it at each CURVE handshake on a socket of the same context. */
export interface Zap {
  /** From the first call on handshakes are answered; until then they wait. */
  setKeys(keyring: Keyring): void
  close(): void
}

/** Fixed by the RFC. Each context has its own, so hubs in one process do not meet. */
const ADDRESS = 'inproc://zeromq.zap.01'

/** To be opened before the sockets it guards are bound. */
export async function openZap(context: Context, onRefused: (refused: GateRefusal) => void): Promise<Zap> {
  const socket = new Router({ context, linger: 0 })
  await socket.bind(ADDRESS)
  let allowed: ReadonlySet<string> = new Set()
  let former: Keyring['former'] = new Map()
  let answering = false

  async function answer(): Promise<void> {
    for await (const [peer, empty, version, id, , address, , mechanism, key] of socket) {
      if (peer === undefined || empty === undefined || version === undefined || id === undefined) continue
      const shown = key?.byteLength === 32 && mechanism?.toString() === 'CURVE' ? encodeZ85(key) : undefined
      const welcome = shown !== undefined && allowed.has(shown)
      await socket.send([peer, empty, version, id, ...(welcome ? ['200', 'OK'] : ['400', 'not allowed']), '', ''])
      if (!welcome) onRefused(strangerOf(shown, String(address ?? '')))
    }
  }

  function strangerOf(key: string | undefined, address: string): GateRefusal {
    const host = key === undefined ? undefined : former.get(key)
    const from = `key ${key ?? 'none'} from ${address.replace(/^::ffff:/, '') || 'this machine'}`
    return host === undefined ? { reason: 'unknown-key', host: '', detail: from } : { reason: 'revoked-key', host, detail: from }
  }

  return {
    setKeys(keyring) {
      allowed = new Set([...keyring.hosts.values()].map((k) => k.publicKey))
      former = keyring.former
      if (answering) return
      answering = true
      answer().catch((error: unknown) => {
        if (!socket.closed) throw error
      })
    },
    close: () => socket.close(),
  }
}
