import type { Connection, Sql } from './connection.ts'

/** Runs inside every transaction: `before` the caller's work, where it may throw to refuse it, and `after` it. */
export interface Fence {
  before(tx: Sql): Promise<void>
  after(tx: Sql): Promise<void>
}

/** Named steps at which a test may end the process; never set in production code. */
export type FailPoint = (step: string) => void | Promise<void>

/** Without a write for so long the writer is idle. */
const IDLE_MS = 1000

/**
 * The one writer of a state file. node-sqlite3 does not scope transactions: a statement of anybody else's on the same handle joins
 * the open one, silently. So every write goes through `tx`, one at a time.
 */
export class Writer {
  readonly #connection: Connection
  #fence: Fence | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #durable: boolean | undefined
  #idle: NodeJS.Timeout | undefined

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** From now on every transaction is fenced. */
  guard(fence: Fence): void {
    this.#fence = fence
  }

  /**
   * Runs `work` in one BEGIN IMMEDIATE transaction; its error rolls everything back and is passed on. Must not be nested.
   * `durable: false` is for what agents will report again: it survives a crash of the process, but the last of it may be lost with the power.
   */
  async tx<T>(work: (tx: Sql) => Promise<T>, options: { readonly durable?: boolean } = {}): Promise<T> {
    const turn = this.#tail.then(() => this.#transaction(work, options.durable ?? true))
    this.#tail = turn.catch(() => undefined)
    this.#checkpointLater()
    return turn
  }

  /** Waits for the writes under way, then closes. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    await this.#tail
    await this.#connection.close()
  }

  /** Folds the log into the file in a quiet moment: SQLite's own way does it inside of some commit, which then takes 80 ms instead of 3. */
  #checkpointLater(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => {
      const checkpoint = (): Promise<void> => this.#connection.exec('PRAGMA wal_checkpoint(PASSIVE)')
      this.#tail = this.#tail.then(checkpoint).catch(() => undefined)
    }, IDLE_MS)
    this.#idle.unref()
  }

  async #transaction<T>(work: (tx: Sql) => Promise<T>, durable: boolean): Promise<T> {
    const db = this.#connection
    if (this.#durable !== durable) {
      await db.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
      this.#durable = durable
    }
    await db.exec('BEGIN IMMEDIATE')
    try {
      await this.#fence?.before(db)
      const result = await work(db)
      await this.#fence?.after(db)
      await db.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite has rolled back by itself after some errors; a second ROLLBACK then fails, and the first error is the one to tell.
      await db.exec('ROLLBACK').catch(() => undefined)
      throw error
    }
  }
}
