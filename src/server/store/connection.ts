import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import sqlite3 from 'sqlite3'
import { fromSqlite, StoreError } from './error.ts'
import { pinUnchanged } from './frozen.ts'
import { countPlaceholders } from './placeholders.ts'

/** The only types that node-sqlite3 binds without loss. */
export type SqlValue = string | number | null | Buffer
export type Row = Readonly<Record<string, unknown>>

/** What runs SQL: a connection, or the transaction that a `withTx` lends out. */
export interface Sql {
  /** Runs one statement; returns the number of rows changed. */
  run(sql: string, ...params: readonly SqlValue[]): Promise<number>
  all(sql: string, ...params: readonly SqlValue[]): Promise<readonly Row[]>
  get(sql: string, ...params: readonly SqlValue[]): Promise<Row | undefined>
}

const FLAGS = {
  read: sqlite3.OPEN_READONLY,
  frozen: sqlite3.OPEN_READONLY | sqlite3.OPEN_URI,
  write: sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE,
} as const

/**
 * One SQLite handle behind a typed door. node-sqlite3 loses data silently (BigInt and undefined become NULL, objects become
 * "[object Object]", 64-bit integers come back rounded): here each of these throws instead.
 */
export class Connection implements Sql {
  readonly file: string
  readonly #db: sqlite3.Database
  /** Throws when what was just read may not be used. */
  readonly #check: () => void

  private constructor(file: string, db: sqlite3.Database, check: () => void) {
    this.file = file
    this.#db = db
    this.#check = check
  }

  /** Opens with foreign keys on and a busy time-out. `read` and `frozen` cannot write at all, not even by mistake; for `frozen` see frozen.ts. */
  static async open(file: string, mode: 'read' | 'frozen' | 'write'): Promise<Connection> {
    const check = mode === 'frozen' ? pinUnchanged(file) : () => undefined
    const name = mode === 'frozen' ? `${pathToFileURL(resolve(file)).href}?immutable=1` : file
    const db = await new Promise<sqlite3.Database>((done, reject) => {
      const opened = new sqlite3.Database(name, FLAGS[mode], (error) =>
        error ? reject(fromSqlite(error, `opening ${file}`)) : done(opened),
      )
    })
    const connection = new Connection(file, db, check)
    try {
      await connection.exec('PRAGMA busy_timeout = 15000; PRAGMA foreign_keys = ON')
    } catch (error) {
      await connection.close().catch(() => undefined)
      throw error
    }
    return connection
  }

  async run(sql: string, ...params: readonly SqlValue[]): Promise<number> {
    checkParams(sql, params)
    return new Promise((resolve, reject) => {
      const { file } = this
      this.#db.run(sql, params, function (this: sqlite3.RunResult, error: Error | null) {
        if (error) reject(fromSqlite(error, `writing ${file}`))
        else resolve(this.changes)
      })
    })
  }

  async all(sql: string, ...params: readonly SqlValue[]): Promise<readonly Row[]> {
    checkParams(sql, params)
    const found = await new Promise<readonly Row[]>((resolve, reject) => {
      this.#db.all<Row>(sql, params, (error, rows) => {
        if (error) reject(fromSqlite(error, `reading ${this.file}`))
        else resolve(rows)
      })
    })
    this.#check()
    return found
  }

  async get(sql: string, ...params: readonly SqlValue[]): Promise<Row | undefined> {
    return (await this.all(sql, ...params))[0]
  }

  /** Several statements without parameters: schema and pragmas. */
  async exec(sql: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#db.exec(sql, (error) => (error ? reject(fromSqlite(error, `writing ${this.file}`)) : resolve()))
    })
  }

  async close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#db.close((error) => (error ? reject(fromSqlite(error, `closing ${this.file}`)) : resolve()))
    })
  }
}

function checkParams(sql: string, params: readonly unknown[]): void {
  const wanted = countPlaceholders(sql)
  if (params.length !== wanted) throw new Error(`${wanted} parameters wanted, ${params.length} given: ${sql}`)
  for (let i = 0; i < params.length; i++) {
    const value = params[i]
    if (typeof value === 'string' || value === null || Buffer.isBuffer(value)) continue
    if (typeof value !== 'number') throw new Error(`parameter ${i + 1} is ${describe(value)}, which SQLite would not keep: ${sql}`)
    if (!Number.isFinite(value)) throw new Error(`parameter ${i + 1} is ${value}: ${sql}`)
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new Error(`parameter ${i + 1} (${value}) is beyond 2^53: ${sql}`)
  }
}

function describe(value: unknown): string {
  if (value === undefined) return 'undefined'
  return typeof value === 'object' ? (value?.constructor?.name ?? 'an object') : typeof value
}

/** A TEXT column that is NOT NULL. */
export function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw new StoreError('corrupt', `column ${column} holds ${describe(value)} where text belongs`)
  return value
}

/** An INTEGER column that is NOT NULL; a value beyond 2^53 would have been rounded on its way here. */
export function int(row: Row, column: string): number {
  const value = row[column]
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new StoreError('corrupt', `column ${column} holds ${String(value)} where a safe integer belongs`)
  }
  return value
}

/** A BLOB column that is NOT NULL. */
export function blob(row: Row, column: string): Buffer {
  const value = row[column]
  if (!Buffer.isBuffer(value)) throw new StoreError('corrupt', `column ${column} holds ${describe(value)} where bytes belong`)
  return value
}

export function textOr(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column)
}

export function intOr(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : int(row, column)
}
