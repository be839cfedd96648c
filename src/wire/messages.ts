import type { JsonObject } from '../model/brand.ts'
import type { NetworkType } from '../model/intent.ts'
import type { Key } from '../model/key.ts'
import type { LogEntry } from '../model/log-entry.ts'
import type { Needs, Scope, ScopeContent, ScopeDelta, ScopeVersion } from '../model/scope.ts'
import type { Dataplane, DriftItem, ObjectStatus } from '../model/status.ts'

/** The wire's version; raised on any change that an older peer would misread. What changed, and how an older peer is served: `versions.ts`. */
export const WIRE_VERSION: number = 2
/** The oldest that is still spoken. */
export const OLDEST_WIRE_VERSION: number = 1
/** Bytes; anything larger is refused at both ends before it is parsed. */
export const MAX_MESSAGE: number = 64 * 1024 * 1024
/** Bytes of a request; a full report is paged, and a pull names scopes. */
export const MAX_REQUEST: number = 16 * 1024 * 1024
/** A delta larger than this travels by pull, not by PUB. */
export const MAX_PUBLISHED_DELTA: number = 256 * 1024
/** Logged packets that one report may carry. */
export const MAX_LOG_BATCH: number = 500
/** Ports, and segments, that one `hello` may name; an agent that holds more names the first by identity. */
export const MAX_HELD: number = 100_000

/** Topics end with `/`: a topic is a prefix match, and `host/h1` would also match `host/h10`. */
export function hostTopic(host: string): string {
  return `host/${host}/`
}
export const HEARTBEAT_TOPIC = 'heartbeat/'

// ── PUB: frames [topic, header JSON, …delta JSON frames (for update: one per entry of `deltas`, same order)] ──

export type Published = UpdateHeader | Heartbeat | Ask

/**
 * Which of two targets is the newer one: revisions cannot say it, because a revert moves a host back to an older revision.
 * `seq` counts the moves of targets within one `epoch` (one life of the server); a late or doubled message has a `seq` that is not higher.
 */
export interface Move {
  readonly epoch: string
  readonly seq: number
  /** The git commit that the revision was made from, `+` behind it when with changes that were not committed; for logs. Absent: from no repository. */
  readonly commit?: string
}

export interface UpdateHeader extends Move {
  readonly v: number
  readonly type: 'update'
  readonly host: string
  readonly revision: number
  /** Version of every scope the host needs at that revision: the complete set. */
  readonly needs: Needs
  readonly deltas: readonly { readonly scope: Scope; readonly from: ScopeVersion; readonly to: ScopeVersion }[]
}

export interface Heartbeat {
  readonly v: number
  readonly type: 'heartbeat'
  /** Changes when the server restarts. */
  readonly epoch: string
  readonly revision: number
}

/** The server asks one host something; the answer comes as a report with that id. */
export interface Ask {
  readonly v: number
  readonly type: 'ask'
  readonly id: string
  readonly host: string
  readonly question: Question
}
export type Question =
  | { readonly what: 'drift' }
  | { readonly what: 'flows' }
  | { readonly what: 'trace'; readonly bridge: string; readonly flow: string }

// ── REQ → ROUTER; one JSON frame each way. `id` makes a request idempotent: the last
// reply to a report is kept per host and sent again; hello and pull only read, so they are simply answered again. ──

export type Request = Hello | Pull | Report
export interface RequestBase {
  readonly v: number
  readonly id: string
  readonly host: string
}
/** Wire versions that a peer can speak, both ends included. */
export interface Speaks {
  readonly min: number
  readonly max: number
}
/** rpc endpoint. `v` is the oldest version that the agent speaks; the reply's `v` is the one to go on with. */
export interface Hello extends RequestBase {
  readonly type: 'hello'
  /** Absent: `v` and no other. */
  readonly speaks?: Speaks
  /** Changes when the agent restarts. */
  readonly epoch: string
  readonly version: string
  readonly origin?: Origin
  /** Absent on a host that never had a complete set. */
  readonly holds?: Holds
}
/** Where an agent runs. Two lives with the same `place` cannot be alive at the same time. */
export interface Origin {
  readonly place: string
  /** For people: machine, process, state directory. */
  readonly name: string
}
/** What the agent's last complete set says of addresses, MACs and segments: a server that lost its memory takes them over. */
export interface Holds {
  readonly revision: number
  readonly digest: string
  /** Ports of this host, and those that are bound to no host. */
  readonly ports: readonly HeldPort[]
  /** Segments that this host carries. */
  readonly segments: readonly HeldSegment[]
}
export interface HeldPort {
  readonly port: Key
  readonly network: Key
  readonly mac: string
  /** Without prefix length. */
  readonly ips: readonly string[]
}
export interface HeldSegment {
  readonly network: Key
  readonly network_type: NetworkType
  readonly physical_network?: string
  readonly segmentation_id?: number
}
/** rpc endpoint. Without `scopes`: only the target. With: their contents at the target; `have` lets the server answer by delta. */
export interface Pull extends RequestBase {
  readonly type: 'pull'
  readonly revision?: number
  readonly scopes?: readonly { readonly scope: Scope; readonly have?: ScopeVersion }[]
}
/** reports endpoint. Sent every heartbeat interval and at once after each convergence. */
export interface Report extends RequestBase {
  readonly type: 'report'
  readonly epoch: string
  /** The target the agent has converged to (or is converging to). */
  readonly revision: number
  /** `setDigest` over scope → version of what it holds. */
  readonly digest: string
  readonly converged: boolean
  /** Objects whose status changed since the last acknowledged report; all of them when `full`. */
  readonly full: boolean
  readonly objects: readonly ObjectStatus[]
  readonly gone: readonly Key[]
  readonly drift?: readonly DriftItem[]
  readonly facts?: JsonObject
  readonly allocations?: JsonObject
  readonly answer?: { readonly id: string; readonly ok: boolean; readonly data: JsonObject }
  /** Whether the switch answers; when that changed. */
  readonly dataplane?: Dataplane
  /** Milliseconds, of the last convergence: compile, write, read back. */
  readonly timings?: Readonly<Record<string, number>>
  readonly log?: LogBatch
}

/** What security groups let pass and what they did not, as far as logs ask for it. Sent until acknowledged, then forgotten. */
export interface LogBatch {
  /** Number of the first entry in this life of the agent: what was there before is told again. */
  readonly first: number
  readonly entries: readonly LogEntry[]
  /** Entries before them that were too many to keep. Absent: none. */
  readonly lost?: number
}

export type Reply = HelloReply | PullReply | ReportReply | Refusal
/** `revision` and `digest` are the host's target: an agent that already holds that digest has nothing to pull. */
export interface HelloReply extends Move {
  readonly v: number
  readonly id: string
  readonly type: 'hello'
  readonly installation: string
  readonly revision: number
  readonly digest: string
  readonly endpoints: { readonly pub: string; readonly rpc: string; readonly reports: string }
  readonly heartbeat_ms: number
  /** Since version 2: when the server is started again, agents wait a random part of this before they say hello. */
  readonly spread_ms?: number
}
export interface PullReply extends Move {
  readonly v: number
  readonly id: string
  readonly type: 'pull'
  /** The host's target; or the revision that was asked for, and then `seq` is 0: it is no target. */
  readonly revision: number
  readonly needs: Needs
  readonly contents: readonly ({ readonly scope: Scope } & ScopeContent)[]
  readonly deltas: readonly ScopeDelta[]
  /** Scopes asked for that did not fit into this answer: ask again. */
  readonly more: readonly Scope[]
}
export interface ReportReply extends Move {
  readonly v: number
  readonly id: string
  readonly type: 'report'
  /** The host's target now; the agent compares and pulls when it differs. */
  readonly revision: number
  /** The digest the agent should have; differing = stale. */
  readonly digest: string
  /** The server has no status of this agent (it restarted): send a full report next. */
  readonly want_full: boolean
  /** Questions not answered yet, so that they arrive with PUB dead too; an agent answers each id once. */
  readonly asks?: readonly Ask[]
}
export interface Refusal {
  readonly v: number
  readonly id: string
  readonly type: 'refused'
  /** `busy` since version 2. */
  readonly code:
    | 'version'
    | 'unknown-host'
    | 'malformed'
    | 'not-ready'
    | 'busy'
    | 'unknown-revision'
    | 'not-yours'
    | 'signature'
    | 'replayed'
  readonly message: string
  /** Since version 2, with `not-ready` and `busy`: not to be asked before. */
  readonly retry_after_ms?: number
  /** With `replayed`: the highest count seen; the same request may be sent again with a higher one. */
  readonly after?: number
}
