import type { KeyPair } from '../../wire/keys.ts'
import type { Ask, Report } from '../../wire/messages.ts'
import type { Settled } from './desk.ts'
import type { Keyring } from './keyring.ts'
import type { HostTarget } from './ledger.ts'
import type { Packed } from './pack.ts'
import type { Refused } from './refusals.ts'
import type { ThreadData } from './thread.ts'

/** What the front thread is started with. */
export interface FrontOptions extends ThreadData {
  readonly pub: string
  /** Undefined: the clerks of `rpc` take them. */
  readonly reports: string | undefined
  readonly epoch: string
  readonly heartbeatMs: number
  /** Undefined: everybody who reaches the endpoints is let in. */
  readonly keys: KeyPair | undefined
  /** See `createGate`. */
  readonly floor: number
}

export interface FrontBound {
  readonly pub: string
  readonly reports: string | undefined
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
  | { readonly type: 'report'; readonly report: Report; readonly at: number }
  | { readonly type: 'refused'; readonly refused: readonly Refused[] }
