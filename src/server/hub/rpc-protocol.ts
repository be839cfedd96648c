import type { MessagePort } from 'node:worker_threads'
import type { Scope, ScopeVersion } from '../../model/scope.ts'
import type { KeyPair } from '../../wire/keys.ts'
import type { Ask, Hello, HelloReply, Refusal, Report } from '../../wire/messages.ts'
import type { Door } from '../../wire/signature.ts'
import type { Settled } from './desk.ts'
import type { Keyring } from './keyring.ts'
import type { HostTarget } from './ledger.ts'
import type { Refused } from './refusals.ts'
import type { ThreadData } from './thread.ts'

/** What a clerk is made with. */
export interface ClerkOptions {
  readonly epoch: string
  readonly heartbeatMs: number
  readonly secured: boolean
  /** See `createGate`. */
  readonly floor: number
  /** How many clerks share the hosts. */
  readonly clerks: number
}

/** What the thread with the sockets is started with. */
export interface RpcDoorOptions extends ClerkOptions, ThreadData {
  readonly rpc: string
  /** Undefined: reports have a thread of their own. */
  readonly reports: string | undefined
  /** Undefined: everybody who reaches the endpoints is let in. */
  readonly keys: KeyPair | undefined
  /** To the clerks that have threads of their own; none: the only clerk works in this thread. */
  readonly ports: readonly MessagePort[]
}

/** What the thread of one clerk is started with. */
export interface RpcClerkOptions extends ClerkOptions, ThreadData {
  readonly port: MessagePort
}

export interface RpcBound {
  readonly rpc: string
  readonly reports: string | undefined
}

/** A scope that a host is to get; by the difference to `from` if that is small. */
export interface WantedPiece {
  readonly scope: Scope
  readonly from?: ScopeVersion
  readonly to: ScopeVersion
}

/** A clerk lacks something that only the main thread can make. */
export interface Want {
  readonly id: number
  readonly host: string
  readonly revision: number
  /** Also what the host needs at that revision. */
  readonly needs: boolean
  readonly pieces: readonly WantedPiece[]
}

/** JSON of a scope's content, or of a delta. */
export interface Piece {
  readonly as: 'content' | 'delta'
  readonly text: string
}

/** `gone`: the revision is not kept. `pieces`: of those that were wanted as many as one answer takes, from the first on. `needs`: the members of the JSON object. */
export type Given =
  | { readonly id: number; readonly gone: true; readonly latest: number }
  | { readonly id: number; readonly gone: false; readonly needs?: string; readonly pieces: readonly Piece[] }

/** Main thread → clerk, or the thread that it works in. */
export type ToClerk =
  | { readonly type: 'targets'; readonly revision: number; readonly targets: readonly (readonly [string, HostTarget])[] }
  | { readonly type: 'keys'; readonly keyring: Keyring }
  | { readonly type: 'greeted'; readonly id: number; readonly reply: HelloReply | Refusal }
  | { readonly type: 'given'; readonly given: Given }
  | { readonly type: 'ask'; readonly ask: Ask }
  | { readonly type: 'close-ask'; readonly host: string; readonly id: string }
  | { readonly type: 'settled'; readonly host: string; readonly settled: Settled }
  | { readonly type: 'close' }

/** Clerk → main thread. */
export type FromClerk =
  | { readonly type: 'hello'; readonly id: number; readonly request: Hello; readonly version: number }
  | { readonly type: 'want'; readonly want: Want }
  | { readonly type: 'report'; readonly report: Report; readonly at: number }
  | { readonly type: 'refused'; readonly refused: readonly Refused[] }
  | { readonly type: 'warn'; readonly message: string }

/** What came by one of the doors, and where the answer goes. */
export interface Letter {
  readonly door: Door
  readonly envelope: readonly Uint8Array[]
  readonly body: readonly Uint8Array[]
}

export interface Answered {
  readonly door: Door
  readonly envelope: readonly Uint8Array[]
  readonly text: string
}
