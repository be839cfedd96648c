import { type KeyPair, sharedKeys } from '../../src/wire/keys.ts'
import { type Door, signatureFrame } from '../../src/wire/signature.ts'
import { type CurveClientOptions, curveClientOptions } from '../../src/wire/transport.ts'

/** What a host is known by: its key pair, and the only server it speaks to. */
export interface HostKeys extends KeyPair {
  /** Z85. */
  readonly serverKey: string
}

/** Signs requests for one door, each attempt with a higher count than the one before. */
export interface Signer {
  sign(payload: Uint8Array): string
  /** The server has seen this count: go on above it. */
  advance(after: number): void
}

/** How this host proves itself, and reads what is for it alone. */
export interface Identity {
  readonly curve: CurveClientOptions
  readonly seal: Uint8Array
  readonly signers: Readonly<Record<Door, Signer>>
}

/** Throws when the server's key is none that a secret can be agreed on with. */
export function createIdentity(host: string, keys: HostKeys, now: () => number): Identity {
  const shared = sharedKeys(keys, keys.serverKey)
  if (shared === undefined) throw new Error('the server’s key in the key file is not usable; copy it again from `netloom keys server`')
  return {
    curve: curveClientOptions(keys, keys.serverKey),
    seal: shared.seal,
    signers: { rpc: createSigner(shared.sign, 'rpc', host, now), reports: createSigner(shared.sign, 'reports', host, now) },
  }
}

/** Counts by the clock in microseconds, so that another life of the agent goes on above the last one without a memory. */
function createSigner(key: Uint8Array, door: Door, host: string, now: () => number): Signer {
  let last = 0
  return {
    sign(payload) {
      last = Math.max(last + 1, now() * 1000)
      return signatureFrame(key, door, { host, count: last }, payload)
    },
    advance(after) {
      last = Math.max(last, after)
    },
  }
}
