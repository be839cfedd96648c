import type { JsonObject } from '../../model/brand.ts'
import type { Place } from '../../model/issue.ts'
import type { Key } from '../../model/key.ts'
import type { Declared, LoadedFile, Resource } from '../../model/resource.ts'
import type { DriftItem, ObjectStatus } from '../../model/status.ts'
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

/** What a reader sees of one moment, whatever is committed meanwhile. */
export interface Snapshot {
  currentRevision(): Promise<RevisionInfo | undefined>
  /** Declared and resolved resources at a revision (default: current), streamed in pages so that the loop never stalls. */
  resources(revision?: number): AsyncIterable<readonly ResourceRow[]>
  /** The same without what was resolved and where it stood: a world needs no more, and it is half of the reading. */
  declared(revision?: number): AsyncIterable<readonly Declared[]>
  allocations(): Promise<Allocations>
}

/**
 * The server's only memory (SQLite). One writer; a revision is committed whole or not at all.
 * Every method may throw `StoreError` (closed `code` union in `error.ts`: busy, corrupt, full, newer-schema, stale, locked, replaced, missing, io).
 */
export interface Store extends Snapshot {
  /** Reads revision, resources and allocations out of one read transaction: they belong together even while another process commits. */
  snapshot<T>(read: (moment: Snapshot) => Promise<T>): Promise<T>
  savePlan(plan: Plan): Promise<void>
  plan(id: string): Promise<StoredPlan | undefined>
  /**
   * Commits a plan as the next revision in one transaction: resources (from_rev/to_rev), allocations, plan state, event. Refuses with
   * `stale` when `plan.base` is not the current revision. A plan that already is the current revision is not applied twice: its revision is returned.
   */
  commit(
    plan: Plan,
    options: { readonly places: ReadonlyMap<Key, Place>; readonly reason?: string; readonly now: number },
  ): Promise<RevisionInfo>
  revisions(limit: number): Promise<readonly RevisionInfo[]>
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
  /** Drops lapsed reservations, old events, plans nobody applied and, where the hashes in use are given, all other cached files. */
  purge(now: number, liveFiles?: readonly string[]): Promise<void>
  /** What `PRAGMA integrity_check` and `foreign_key_check` complain of; empty = sound. */
  integrity(): Promise<readonly string[]>
  close(): Promise<void>
}
