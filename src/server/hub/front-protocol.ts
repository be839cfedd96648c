import type { KeyPair } from '../../wire/keys.ts'
import type { Ask, Report } from '../../wire/messages.ts'
import type { Settled } from './desk.ts'
import type { Keyring } from './keyring.ts'
import type { HostTarget } from './ledger.ts'
import type { Packed } from './pack.ts'
import type { Refused } from './refusals.ts'

/** What the front thread is started with. */
export interface FrontOptions {
  readonly pub: string
  readonly reports: string
  readonly epoch: string
  readonly heartbeatMs: number
  /** Undefined: everybody who reaches the endpoints is let in. */
  readonly keys: KeyPair | undefined
  /** See `createGate`. */
  readonly floor: number
  /** One Int32, set to 1 and notified when the sockets are closed: a process that is exiting can wait for nothing else. */
  readonly closed: SharedArrayBuffer
}

/** Main thread → front thread. */
export type ToFront =
  | { readonly type: 'targets'; readonly revision: number; readonly targets: readonly (readonly [string, HostTarget])[] }
  | { readonly type: 'keys'; readonly keyring: Keyring }
  | { readonly type: 'publish'; readonly packed: Packed }
  | { readonly type: 'ask'; readonly ask: Ask }
  | { readonly type: 'close-ask'; readonly host: string; readonly id: string }
  | { readonly type: 'settled'; readonly host: string; readonly settled: Settled }
  | { readonly type: 'close' }

/** Front thread → main thread. */
export type FromFront =
  | { readonly type: 'bound'; readonly pub: string; readonly reports: string }
  | { readonly type: 'failed'; readonly endpoint: string; readonly message: string }
  | { readonly type: 'report'; readonly report: Report; readonly at: number }
  | { readonly type: 'refused'; readonly refused: readonly Refused[] }
