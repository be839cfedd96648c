import type { JsonObject } from '../../model/brand.ts'
import type { Place } from '../../model/issue.ts'
import type { Key } from '../../model/key.ts'
import type { Declared, LoadedFile, Resource } from '../../model/resource.ts'
import type { DriftItem, ObjectStatus } from '../../model/status.ts'
import type { Verb } from '../../plugins/callbacks.ts'
import type { Life } from '../../plugins/plugin.ts'
import type { Allocations } from '../engine/types.ts'
import type { GitInfo, Plan } from '../plan/types.ts'

export interface RevisionInfo {
  readonly revision: number
  readonly plan: string
  readonly committedAt: string
  readonly git?: GitInfo
  readonly summary: Plan['summary']
  readonly reason?: string
}

export interface ResourceRow {
  readonly declared: Declared
  readonly resource: Resource
  readonly place?: Place
  readonly fromRev: number
}

export interface AgentRow {
  readonly host: string
  readonly epoch: string
  readonly version: string
  readonly lastSeen: string
  readonly revision: number
  /** Digest of the scope versions it holds. */
  readonly digest: string
  readonly converged: boolean
  readonly facts: JsonObject
  readonly allocations: JsonObject
}

export interface EventRow {
  readonly id: number
  readonly at: string
  readonly type: string
  readonly host?: string
  readonly key?: Key
  readonly detail: JsonObject
}

export type PlanState = 'planned' | 'applied' | 'refused' | 'stale'
export interface StoredPlan {
  readonly plan: Plan
  readonly state: PlanState
  readonly createdAt: string
}

/** A call of an `after` subscriber that a revision asks for. */
export interface NewCall {
  readonly plugin: string
  readonly subscription: string
  readonly verb: Verb
  readonly key: Key
}

/** One that waits. Times in milliseconds since the epoch. */
export interface StoredCall extends NewCall {
  readonly id: number
  readonly revision: number
  /** Failed ones. */
  readonly attempts: number
  /** Why the last one failed. */
  readonly error?: string
  readonly nextAt: number
  readonly since: number
}

/** Without `failed` it succeeded, and is forgotten. */
export interface CallOutcome {
  readonly id: number
  readonly failed?: { readonly error: string; readonly nextAt: number }
}

export interface WaitingCalls {
  readonly total: number
  readonly failing: number
  /** The first of them, those that failed before the others. */
  readonly calls: readonly StoredCall[]
}

/** What is done in a commit's transaction besides what the plan says. */
export interface CommitOptions {
  readonly places: ReadonlyMap<Key, Place>
  readonly reason?: string
  readonly now: number
  /** Asked last; throws to refuse: nothing is left behind, and the error is passed on. Not asked about a plan that already is the current revision. */
  readonly precommit?: () => void
  /** Remembered with the revision until they succeed. */
  readonly calls?: readonly NewCall[]
}

/** What a reader sees of one moment, whatever is committed meanwhile. */
export interface Snapshot {
  currentRevision(): Promise<RevisionInfo | undefined>
  /** Declared and resolved resources at a revision (default: current), streamed in pages so that the loop never stalls. */
  resources(revision?: number): AsyncIterable<readonly ResourceRow[]>
  /** The same without what was resolved and where it stood: a world needs no more, and it is half of the reading. */
  declared(revision?: number): AsyncIterable<readonly Declared[]>
  allocations(): Promise<Allocations>
}

/** Calls of `after` subscribers; `except` and `known` name subscriptions as `plugin subscription`. */
export interface CallStore {
  /** Those whose time and turn have come, in order: of one subscription and resource, the next only when the one before is settled. */
  due(now: number, except: readonly string[], limit: number): Promise<readonly StoredCall[]>
  /** When the next of them is due. */
  next(except: readonly string[]): Promise<number | undefined>
  settle(outcomes: readonly CallOutcome[]): Promise<void>
  waiting(limit: number): Promise<WaitingCalls>
  /** Forgets the calls of all other subscriptions, leaves an event for each, and says which they were. */
  keepOnly(known: readonly string[]): Promise<readonly { readonly plugin: string; readonly subscription: string; readonly calls: number }[]>
}

/**
 * The server's only memory (SQLite). One writer; a revision is committed whole or not at all.
 * Every method may throw `StoreError` (closed `code` union in `error.ts`: busy, corrupt, full, newer-schema, stale, locked, replaced, missing, io).
 */
export interface Store extends Snapshot {
  /** Reads revision, resources and allocations out of one read transaction: they belong together even while another process commits. */
  snapshot<T>(read: (moment: Snapshot) => Promise<T>): Promise<T>
  /** Resolved values as they last were, of resources that may be no more. */
  lastSpecs(keys: readonly Key[]): Promise<ReadonlyMap<Key, JsonObject>>
  savePlan(plan: Plan): Promise<void>
  plan(id: string): Promise<StoredPlan | undefined>
  /**
   * Commits a plan as the next revision in one transaction: resources (from_rev/to_rev), allocations, plan state, event. Refuses with
   * `stale` when `plan.base` is not the current revision. A plan that already is the current revision is not applied twice: its revision is returned.
   */
  commit(plan: Plan, options: CommitOptions): Promise<RevisionInfo>
  revisions(limit: number): Promise<readonly RevisionInfo[]>
  revision(revision: number): Promise<RevisionInfo | undefined>
  /** Parsed files by content hash, so that a restart parses nothing it has seen. */
  cachedFiles(hashes: readonly string[]): Promise<ReadonlyMap<string, LoadedFile>>
  cacheFiles(files: readonly LoadedFile[]): Promise<void>
  agents(): Promise<readonly AgentRow[]>
  saveAgent(row: AgentRow): Promise<void>
  status(host?: string): Promise<readonly (ObjectStatus & { readonly host: string })[]>
  saveStatus(host: string, objects: readonly ObjectStatus[], gone: readonly Key[]): Promise<void>
  drift(host?: string): Promise<readonly (DriftItem & { readonly host: string })[]>
  saveDrift(host: string, items: readonly DriftItem[]): Promise<void>
  event(type: string, detail: JsonObject, subject?: { readonly host?: string; readonly key?: Key }): Promise<void>
  events(limit: number): Promise<readonly EventRow[]>
  readonly callbacks: CallStore
  /** A resource as it was at a revision. */
  resourceAt(key: Key, revision: number): Promise<Resource | undefined>
  /** The same with what was declared and where that stood. */
  rowAt(key: Key, revision: number): Promise<ResourceRow | undefined>
  /** The revisions that made a resource what it is now (or what it was at a revision), oldest first; empty when it is not there. */
  lifeOf(key: Key, at?: number): Promise<Life>
  /** Resources that are no more, and the revision that took each away. */
  formerKeys(): Promise<ReadonlyMap<Key, number>>
  /** Where resources of the current revision stood when they were committed. */
  placesOf(keys: readonly Key[]): Promise<ReadonlyMap<Key, Place>>
  /** Drops lapsed reservations, old events, plans nobody applied and, where the hashes in use are given, all other cached files. */
  purge(now: number, liveFiles?: readonly string[]): Promise<void>
  /** What `PRAGMA integrity_check` and `foreign_key_check` complain of; empty = sound. */
  integrity(): Promise<readonly string[]>
  close(): Promise<void>
}
