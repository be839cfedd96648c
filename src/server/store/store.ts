import type { JsonObject } from '../../model/brand.ts'
import type { Place } from '../../model/issue.ts'
import type { Key } from '../../model/key.ts'
import type { Declared, LoadedFile, Resource } from '../../model/resource.ts'
import type { DriftItem, ObjectStatus } from '../../model/status.ts'
import type { Life } from '../../plugins/plugin.ts'
import type { Allocations } from '../engine/types.ts'
import type { Plan } from '../plan/types.ts'
import { purgeReservations, readAllocations } from './allocations.ts'
import { dropCalls, readDueCalls, readNextCall, readPlaces, readResourceAt, readWaitingCalls, settleCalls } from './callbacks.ts'
import { commitPlan } from './commit.ts'
import { Connection, type Sql } from './connection.ts'
import { insertEvent, purgeEvents, readEvents } from './events.ts'
import { purgeFiles, readFiles, writeFiles } from './files.ts'
import { readAgents, readDrift, readStatus, writeAgent, writeDrift, writeStatus } from './fleet.ts'
import { markHeld } from './held.ts'
import type { Lease } from './lease.ts'
import { readLife } from './life.ts'
import { insertPlan, isPlanKnown, packPlan, purgePlans, readPlan } from './plans.ts'
import { readDeclared, readFormerKeys, readLastSpecs, readResources, readRow } from './resources.ts'
import { currentNumber, readRevision, readRevisions } from './revisions.ts'
import type { AgentRow, CallStore, CommitOptions, EventRow, ResourceRow, RevisionInfo, Snapshot, Store, StoredPlan } from './types.ts'
import type { FailPoint, Writer } from './writer.ts'

const KEPT_EVENTS = 100_000

interface Parts {
  readonly file: string
  /** How it can be read. */
  readonly mode: 'read' | 'frozen'
  readonly reader: Connection
  /** Absent: read access. */
  readonly writer: Writer | undefined
  /** Absent: no right to write revisions, status or agents. */
  readonly lease: Lease | undefined
  readonly readerVersion: string
  readonly clock: () => number
  readonly failPoint: FailPoint
}

/** `Store` over node-sqlite3: one reading handle, at most one writing handle. Made by `openStore`. */
export class SqliteStore implements Store {
  readonly #parts: Parts
  readonly #reader: Connection
  readonly callbacks: CallStore

  constructor(parts: Parts) {
    this.#parts = parts
    this.#reader = parts.reader
    this.callbacks = {
      due: (now, except, limit) => readDueCalls(this.#reader, now, except, limit),
      next: (except) => readNextCall(this.#reader, except),
      settle: (outcomes) => this.#leased().tx((tx) => settleCalls(tx, outcomes), RETOLD),
      waiting: (limit) => readWaitingCalls(this.#reader, limit),
      keepOnly: (known) => this.#leased().tx((tx) => dropCalls(tx, known, this.#now())),
    }
  }

  async currentRevision(): Promise<RevisionInfo | undefined> {
    return (await readRevisions(this.#reader, 1))[0]
  }

  async *resources(revision?: number): AsyncGenerator<readonly ResourceRow[]> {
    yield* readResources(this.#reader, revision ?? (await currentNumber(this.#reader)))
  }

  async *declared(revision?: number): AsyncGenerator<readonly Declared[]> {
    yield* readDeclared(this.#reader, revision ?? (await currentNumber(this.#reader)))
  }

  async allocations(): Promise<Allocations> {
    return this.snapshot((moment) => moment.allocations())
  }

  async snapshot<T>(read: (moment: Snapshot) => Promise<T>): Promise<T> {
    return this.#moment((sql) => read(momentOf(sql)))
  }

  async savePlan(plan: Plan): Promise<void> {
    const packed = await packPlan(plan)
    await this.#writer().tx(async (tx) => {
      if (!(await isPlanKnown(tx, plan))) await insertPlan(tx, plan, packed, this.#now())
    })
  }

  async plan(id: string): Promise<StoredPlan | undefined> {
    return this.#moment((sql) => readPlan(sql, id))
  }

  async commit(plan: Plan, options: CommitOptions): Promise<RevisionInfo> {
    const { failPoint, file } = this.#parts
    const info = await this.#leased().tx((tx) => commitPlan(tx, plan, options, failPoint))
    markHeld(file)
    await failPoint('commit:done')
    return info
  }

  async revisions(limit: number): Promise<readonly RevisionInfo[]> {
    return readRevisions(this.#reader, limit)
  }

  async cachedFiles(hashes: readonly string[]): Promise<ReadonlyMap<string, LoadedFile>> {
    return readFiles(this.#reader, hashes, this.#parts.readerVersion)
  }

  async cacheFiles(files: readonly LoadedFile[]): Promise<void> {
    if (files.length > 0) await this.#writer().tx((tx) => writeFiles(tx, files, this.#parts.readerVersion), RETOLD)
  }

  async agents(): Promise<readonly AgentRow[]> {
    return readAgents(this.#reader)
  }

  async saveAgent(row: AgentRow): Promise<void> {
    await this.#leased().tx((tx) => writeAgent(tx, row), RETOLD)
  }

  async status(host?: string): Promise<readonly (ObjectStatus & { readonly host: string })[]> {
    return readStatus(this.#reader, host)
  }

  async saveStatus(host: string, objects: readonly ObjectStatus[], gone: readonly Key[]): Promise<void> {
    await this.#leased().tx((tx) => writeStatus(tx, host, objects, gone), RETOLD)
  }

  async drift(host?: string): Promise<readonly (DriftItem & { readonly host: string })[]> {
    return readDrift(this.#reader, host)
  }

  async saveDrift(host: string, items: readonly DriftItem[]): Promise<void> {
    await this.#leased().tx((tx) => writeDrift(tx, host, items), RETOLD)
  }

  async event(type: string, detail: JsonObject, subject: { readonly host?: string; readonly key?: Key } = {}): Promise<void> {
    await this.#writer().tx((tx) => insertEvent(tx, { at: this.#now(), type, detail, ...subject }), RETOLD)
  }

  async events(limit: number): Promise<readonly EventRow[]> {
    return readEvents(this.#reader, limit)
  }

  async resourceAt(key: Key, revision: number): Promise<Resource | undefined> {
    return readResourceAt(this.#reader, key, revision)
  }

  async lifeOf(key: Key, at?: number): Promise<Life> {
    return readLife(this.#reader, key, at)
  }

  async rowAt(key: Key, revision: number): Promise<ResourceRow | undefined> {
    return readRow(this.#reader, key, revision)
  }

  async revision(revision: number): Promise<RevisionInfo | undefined> {
    return readRevision(this.#reader, revision)
  }

  async formerKeys(): Promise<ReadonlyMap<Key, number>> {
    return readFormerKeys(this.#reader)
  }

  async placesOf(keys: readonly Key[]): Promise<ReadonlyMap<Key, Place>> {
    return readPlaces(this.#reader, keys)
  }

  lastSpecs(keys: readonly Key[]): Promise<ReadonlyMap<Key, JsonObject>> {
    return readLastSpecs(this.#reader, keys)
  }

  async purge(now: number, liveFiles?: readonly string[]): Promise<void> {
    await this.#leased().tx(async (tx) => {
      await purgeReservations(tx, now)
      await purgeEvents(tx, KEPT_EVENTS)
      await purgePlans(tx, now)
      await purgeFiles(tx, this.#parts.readerVersion, liveFiles)
    })
  }

  async integrity(): Promise<readonly string[]> {
    const sound = await this.#reader.all('PRAGMA integrity_check')
    const foreign = await this.#reader.all('PRAGMA foreign_key_check')
    const complaints = sound.map((row) => String(row['integrity_check'])).filter((line) => line !== 'ok')
    return [...complaints, ...foreign.map((row) => `row ${row['rowid']} of ${row['table']} refers to a ${row['parent']} that is not there`)]
  }

  async close(): Promise<void> {
    await this.#parts.lease?.release().catch(() => undefined)
    await this.#reader.close()
    // Last, so that SQLite folds the write-ahead log into the file.
    await this.#parts.writer?.close()
  }

  /** On a handle of its own: a read transaction on the shared one would freeze every other reader's view. */
  async #moment<T>(read: (sql: Sql) => Promise<T>): Promise<T> {
    const sql = await Connection.open(this.#parts.file, this.#parts.mode)
    try {
      await sql.exec('BEGIN')
      return await read(sql)
    } finally {
      await sql.exec('COMMIT').catch(() => undefined)
      await sql.close()
    }
  }

  #now(): string {
    return new Date(this.#parts.clock()).toISOString()
  }

  #writer(): Writer {
    if (this.#parts.writer === undefined) throw new Error('a store opened to read was asked to write')
    return this.#parts.writer
  }

  #leased(): Writer {
    if (this.#parts.lease === undefined) throw new Error('a store opened without the lease was asked to write what only its holder may')
    return this.#writer()
  }
}

/** What agents report again and what files can be parsed again need not survive a power cut. */
const RETOLD = { durable: false } as const

function momentOf(sql: Sql): Snapshot {
  return {
    currentRevision: async () => (await readRevisions(sql, 1))[0],
    resources: async function* (revision?: number) {
      yield* readResources(sql, revision ?? (await currentNumber(sql)))
    },
    declared: async function* (revision?: number) {
      yield* readDeclared(sql, revision ?? (await currentNumber(sql)))
    },
    allocations: () => readAllocations(sql),
  }
}
