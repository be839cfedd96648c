import { isRecord } from '../../../../src/lib/json.ts'
import { OvsdbError } from './error.ts'
import { applyUpdate2, asNumber, type Replica, type RowChange } from './replica.ts'
import { Session, socketAddress } from './session.ts'
import { type ColumnShape, type OvsRow, readSchema, type Schema } from './values.ts'

export interface OvsdbOptions {
  /** `unix:/path` or `tcp:address:port`. */
  readonly endpoint: string
  /** Table → columns to keep a replica of. `Open_vSwitch` should have cur_cfg and next_cfg for `waitForApplied`. */
  readonly tables: Readonly<Record<string, readonly string[]>>
  /** Table → conditions (RFC 7047, 5.1); rows for which one of them holds are kept. Absent: all rows. */
  readonly where?: Readonly<Record<string, readonly (readonly [column: string, test: string, value: unknown])[]>>
  /** After every update, also the first one of a connection (then `whole`: forget what you derived from the former replica). */
  readonly onUpdate: (changes: readonly RowChange[], whole: boolean) => void
  readonly onState?: (state: 'connected' | 'disconnected', cause?: string) => void
  /** Milliseconds before attempt n (from 1). */
  readonly backoff: (attempt: number) => number
  /** Milliseconds of silence after which the server is asked whether it lives. */
  readonly probeMs?: number
  /** Milliseconds that one request may take. */
  readonly requestMs?: number
}

/** One operation of a transaction, RFC 7047 5.2. */
export type Operation = Readonly<Record<string, unknown>> & { readonly op: string }

/** A client of one `Open_vSwitch` database: a replica that follows it, and transactions. Reconnects for ever. */
export interface OvsdbClient {
  readonly replica: Replica
  connected(): boolean
  /** Resolves at the first whole replica of a connection; at once when there is one. */
  ready(timeoutMs: number): Promise<void>
  /** Asks ovsdb-server for a sign of life. Rejects with `OvsdbError`: `unreachable` while there is no connection, `closed`, `timeout`. */
  probe(timeoutMs: number): Promise<void>
  /** All operations or none. Resolves to the results in order. Throws `OvsdbError` with the database's words and the operation's place. */
  transact(operations: readonly Operation[]): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** Resolves when vswitchd has applied configuration `config` (a value of next_cfg) and the replica shows it. */
  waitForApplied(config: number, timeoutMs: number): Promise<void>
  /** Resolves when `holds` is true, now or after an update; rejects with `timeout` ("`what` within … ms") or `closed`. */
  until(holds: () => boolean, timeoutMs: number, what: string): Promise<void>
  close(): void
}

const DATABASE = 'Open_vSwitch'
const MONITOR = 'netloom'
const CONNECT_MS = 5_000

/** Throws OvsdbError `unreachable` only for a malformed endpoint; a server that is away is waited for. */
export function openOvsdb(options: OvsdbOptions): OvsdbClient {
  socketAddress(options.endpoint)
  return new Client(options)
}

interface Waiter {
  readonly check: () => void
  readonly reject: (error: OvsdbError) => void
}

class Client implements OvsdbClient {
  readonly replica: Map<string, Map<string, OvsRow>> = new Map()
  readonly #options: OvsdbOptions
  readonly #waiters: Set<Waiter> = new Set()
  /** Set while the replica is whole. */
  #session: Session | undefined
  #opening: Session | undefined
  #schema: Schema = {}
  #closed = false
  #attempt = 0
  #retry: NodeJS.Timeout | undefined

  constructor(options: OvsdbOptions) {
    this.#options = options
    void this.#connect()
  }

  connected(): boolean {
    return this.#session !== undefined
  }

  ready(timeoutMs: number): Promise<void> {
    return this.until(() => this.connected(), timeoutMs, `OVSDB ${this.#options.endpoint} did not answer`)
  }

  async probe(timeoutMs: number): Promise<void> {
    await this.#there().request('echo', [], timeoutMs)
  }

  #there(): Session {
    if (this.#session !== undefined) return this.#session
    throw new OvsdbError('unreachable', `OVSDB ${this.#options.endpoint} does not answer; is ovsdb-server running?`)
  }

  async transact(operations: readonly Operation[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const results = await this.#there().request('transact', [DATABASE, ...operations], this.#options.requestMs ?? 60_000)
    return readResults(results, operations)
  }

  waitForApplied(config: number, timeoutMs: number): Promise<void> {
    const applied = (): boolean =>
      [...(this.replica.get('Open_vSwitch')?.values() ?? [])].some((r) => (asNumber(r['cur_cfg']) ?? -1) >= config)
    return this.until(applied, timeoutMs, 'ovs-vswitchd did not apply the change (is it running?)')
  }

  until(holds: () => boolean, timeoutMs: number, what: string): Promise<void> {
    if (holds()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      const fail = (error: OvsdbError): void => {
        stop()
        reject(error)
      }
      const timer = setTimeout(() => fail(new OvsdbError('timeout', `${what} within ${timeoutMs} ms`)), timeoutMs)
      const check = (): void => {
        if (!holds()) return
        stop()
        resolve()
      }
      const waiter: Waiter = { check, reject: fail }
      this.#waiters.add(waiter)
    })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#retry)
    this.#session?.close()
    this.#opening?.close()
    for (const waiter of [...this.#waiters]) waiter.reject(new OvsdbError('closed', 'the client was closed'))
  }

  async #connect(): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      if (!(error instanceof OvsdbError)) throw error
      this.#failed(error.message)
    }
  }

  async #start(): Promise<void> {
    // Updates may come in the same packet as the initial rows, before those are applied.
    const early: unknown[] = []
    const session = await Session.open({
      endpoint: this.#options.endpoint,
      connectTimeout: CONNECT_MS,
      probeInterval: this.#options.probeMs ?? 5_000,
      onNotification: (method, params) => {
        if (method !== 'update2' || params[0] !== MONITOR) return
        if (session === this.#session) this.#apply(params[1], false)
        else early.push(params[1])
      },
      onClose: (reason) => this.#ended(session, reason),
    })
    this.#opening = session
    try {
      if (this.#closed) throw new OvsdbError('closed', 'the client was closed')
      const first = await this.#monitor(session)
      this.replica.clear()
      for (const table of Object.keys(this.#options.tables)) this.replica.set(table, new Map())
      this.#session = session
      this.#attempt = 0
      this.#options.onState?.('connected')
      this.#apply(first, true)
      for (const update of early) this.#apply(update, false)
    } catch (error) {
      this.#session = undefined
      session.close()
      throw error
    } finally {
      this.#opening = undefined
    }
  }

  async #monitor(session: Session): Promise<unknown> {
    const { tables, where = {}, requestMs = 60_000 } = this.#options
    this.#schema = pickColumns(readSchema(await session.request('get_schema', [DATABASE], requestMs)), tables)
    const request = (table: string, columns: readonly string[]): unknown => ({
      columns,
      ...(where[table] === undefined ? {} : { where: where[table] }),
    })
    const requests = Object.fromEntries(Object.entries(tables).map(([table, columns]) => [table, [request(table, columns)]]))
    return await session.request('monitor_cond', [DATABASE, MONITOR, requests], requestMs)
  }

  #apply(update: unknown, whole: boolean): void {
    this.#options.onUpdate(applyUpdate2(this.replica, this.#schema, update), whole)
    for (const waiter of [...this.#waiters]) waiter.check()
  }

  #ended(session: Session, reason: OvsdbError): void {
    if (session !== this.#session) return
    this.#session = undefined
    this.#failed(reason.message, true)
  }

  /** The listener hears of the first failure of a row, not of each attempt. */
  #failed(cause: string, was = false): void {
    if (this.#closed) return
    if (was || this.#attempt === 0) this.#options.onState?.('disconnected', cause)
    this.#attempt++
    this.#retry = setTimeout(() => void this.#connect(), this.#options.backoff(this.#attempt))
  }
}

/** RFC 7047, 4.1.3: one result for each operation, null after a failure; a failed commit adds one more. */
function readResults(results: unknown, operations: readonly Operation[]): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(results)) throw new OvsdbError('protocol', 'the answer to a transaction is no list')
  for (const [i, result] of results.entries()) {
    if (!isRecord(result) || typeof result['error'] !== 'string') continue
    const reason = result['error']
    const details = String(result['details'] ?? '')
    const where = operations[i] === undefined ? {} : { operation: i }
    throw new OvsdbError('refused', `${reason}: ${details}`, { reason, details, ...where })
  }
  return results.map((r): Readonly<Record<string, unknown>> => (isRecord(r) ? r : {}))
}

/** Only what is monitored: defaults are filled in for these columns and no others. */
function pickColumns(schema: Schema, tables: OvsdbOptions['tables']): Schema {
  const out: Record<string, Record<string, ColumnShape>> = {}
  for (const [table, columns] of Object.entries(tables)) {
    const shapes: Record<string, ColumnShape> = {}
    for (const column of columns) shapes[column] = schema[table]?.[column] ?? 'scalar'
    out[table] = shapes
  }
  return out
}
