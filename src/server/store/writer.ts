import type { Connection, Sql } from './connection.ts'

/** Runs inside a transaction before the caller's work and throws to refuse it (the lease's fence). */
export type Fence = (tx: Sql) => Promise<void>

/** Named steps at which a test may end the process; never set in production code. */
export type FailPoint = (step: string) => void | Promise<void>

/**
 * The one writer of a state file. node-sqlite3 does not scope transactions: a statement of anybody else's on the same handle joins
 * the open one, silently. So every write goes through `tx`, one at a time.
 */
export class Writer {
  readonly #connection: Connection
  #fence: Fence | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #durable: boolean | undefined

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** From now on every transaction runs `fence` first. */
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
    return turn
  }

  /** Waits for the writes under way, then closes. */
  async close(): Promise<void> {
    await this.#tail
    await this.#connection.close()
  }

  async #transaction<T>(work: (tx: Sql) => Promise<T>, durable: boolean): Promise<T> {
    const db = this.#connection
    if (this.#durable !== durable) {
      await db.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
      this.#durable = durable
    }
    await db.exec('BEGIN IMMEDIATE')
    try {
      if (this.#fence !== undefined) await this.#fence(db)
      const result = await work(db)
      await db.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite has rolled back by itself after some errors; a second ROLLBACK then fails, and the first error is the one to tell.
      await db.exec('ROLLBACK').catch(() => undefined)
      throw error
    }
  }
}
