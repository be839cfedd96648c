import { createConnection, type Socket } from 'node:net'
import { OvsdbError } from './error.ts'
import { JsonSplitter } from './framing.ts'
import { applyUpdate2, asNumber, type Replica, type RowChange } from './replica.ts'
import { type ColumnShape, type OvsRow, readSchema, type Schema } from './values.ts'

export interface OvsdbOptions {
  /** `unix:/path` or `tcp:address:port`. */
  readonly endpoint: string
  /** Table → columns to keep a replica of. `Open_vSwitch` should have cur_cfg and next_cfg for `waitForApplied`. */
  readonly tables: Readonly<Record<string, readonly string[]>>
  /** After every update, also the first one of a connection (then `whole`: forget what you derived from the former replica). */
  readonly onUpdate: (changes: readonly RowChange[], whole: boolean) => void
  readonly onState?: (state: 'connected' | 'disconnected', cause?: string) => void
  /** Milliseconds before attempt n (from 1). */
  readonly backoff: (attempt: number) => number
}

/** One operation of a transaction, RFC 7047 5.2. */
export type Operation = Readonly<Record<string, unknown>> & { readonly op: string }

/** A client of one `Open_vSwitch` database: a replica that follows it, and transactions. Reconnects for ever. */
export interface OvsdbClient {
  readonly replica: Replica
  connected(): boolean
  /** Resolves at the first whole replica of a connection; at once when there is one. */
  ready(timeoutMs: number): Promise<void>
  /** All operations or none. Resolves to the results in order. Throws `OvsdbError` with the database's words. */
  transact(operations: readonly Operation[]): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** Resolves when vswitchd has applied configuration `config` (a value of next_cfg) and the replica shows it. */
  waitForApplied(config: number, timeoutMs: number): Promise<void>
  close(): void
}

const DATABASE = 'Open_vSwitch'
const MONITOR = 'netloom'

interface Pending {
  resolve(result: unknown): void
  reject(error: Error): void
}

export function openOvsdb(options: OvsdbOptions): OvsdbClient {
  const replica = new Map<string, Map<string, OvsRow>>()
  const pending = new Map<number, Pending>()
  const waiters = new Set<() => void>()
  let socket: Socket | undefined
  let schema: Schema | undefined
  let whole = false
  let closed = false
  let nextId = 1
  let attempt = 0
  let retry: NodeJS.Timeout | undefined

  function connect(): void {
    const splitter = new JsonSplitter()
    const own = createConnection(socketAddress(options.endpoint))
    socket = own
    own.setEncoding('utf8')
    own.on('connect', () => void start(own))
    own.on('data', (chunk: string) => {
      try {
        for (const text of splitter.push(chunk)) receive(own, JSON.parse(text) as Message)
      } catch (cause) {
        own.destroy(new OvsdbError('protocol', `OVSDB sent what is not JSON-RPC: ${String(cause)}`, { cause }))
      }
    })
    own.on('error', (error) => lost(own, error.message))
    own.on('close', () => lost(own, 'the connection was closed'))
  }

  function lost(own: Socket, cause: string): void {
    if (socket !== own) return
    socket = undefined
    own.destroy()
    const was = whole
    whole = false
    for (const { reject } of pending.values()) reject(new OvsdbError('closed', `OVSDB ${options.endpoint}: ${cause}`))
    pending.clear()
    if (closed) return
    if (was || attempt === 0) options.onState?.('disconnected', cause)
    attempt++
    retry = setTimeout(connect, options.backoff(attempt))
  }

  async function start(own: Socket): Promise<void> {
    try {
      schema = pickColumns(readSchema(await call('get_schema', [DATABASE])), options.tables)
      const requests = Object.fromEntries(Object.entries(options.tables).map(([table, columns]) => [table, [{ columns }]]))
      const first = await call('monitor_cond', [DATABASE, MONITOR, requests])
      replica.clear()
      for (const table of Object.keys(options.tables)) replica.set(table, new Map())
      const changes = applyUpdate2(replica, schema, first)
      whole = true
      attempt = 0
      options.onState?.('connected')
      notify(changes, true)
    } catch (error) {
      own.destroy(error instanceof Error ? error : undefined)
    }
  }

  function notify(changes: readonly RowChange[], isWhole: boolean): void {
    options.onUpdate(changes, isWhole)
    for (const check of [...waiters]) check()
  }

  function receive(own: Socket, message: Message): void {
    if (message.method === 'echo') {
      own.write(JSON.stringify({ id: message.id, result: message.params, error: null }))
      return
    }
    if (message.method === 'update2' && schema !== undefined) {
      notify(applyUpdate2(replica, schema, message.params?.[1]), false)
      return
    }
    const waiting = typeof message.id === 'number' ? pending.get(message.id) : undefined
    if (waiting === undefined || message.method !== undefined) return
    pending.delete(message.id as number)
    if (message.error !== null && message.error !== undefined) waiting.reject(new OvsdbError('refused', JSON.stringify(message.error)))
    else waiting.resolve(message.result)
  }

  function call(method: string, params: readonly unknown[]): Promise<unknown> {
    const own = socket
    if (own === undefined)
      return Promise.reject(new OvsdbError('unreachable', `OVSDB ${options.endpoint} does not answer; is ovsdb-server running?`))
    return new Promise((resolve, reject) => {
      const id = nextId++
      pending.set(id, { resolve, reject })
      own.write(JSON.stringify({ method, params, id }))
    })
  }

  /** Resolves when `holds` is true after some update. */
  function until(holds: () => boolean, timeoutMs: number, what: string): Promise<void> {
    if (holds()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer)
        waiters.delete(check)
      }
      const timer = setTimeout(() => {
        stop()
        reject(new OvsdbError('timeout', `${what} within ${timeoutMs} ms`))
      }, timeoutMs)
      const check = (): void => {
        if (!holds()) return
        stop()
        resolve()
      }
      waiters.add(check)
    })
  }

  connect()
  return {
    replica,
    connected: () => whole,
    ready: (timeoutMs) => until(() => whole, timeoutMs, `OVSDB ${options.endpoint} did not answer`),
    async transact(operations) {
      const results = (await call('transact', [DATABASE, ...operations])) as readonly Record<string, unknown>[]
      const bad = results.find((r) => r !== null && r['error'] !== undefined && r['error'] !== null)
      if (bad !== undefined) throw new OvsdbError('refused', `${String(bad['error'])}: ${String(bad['details'] ?? '')}`)
      return results
    },
    waitForApplied: (config, timeoutMs) =>
      until(
        () => [...(replica.get('Open_vSwitch')?.values() ?? [])].some((row) => (asNumber(row['cur_cfg']) ?? -1) >= config),
        timeoutMs,
        'ovs-vswitchd did not apply the change (is it running?)',
      ),
    close() {
      closed = true
      clearTimeout(retry)
      socket?.destroy()
      for (const { reject } of pending.values()) reject(new OvsdbError('closed', 'closed'))
    },
  }
}

interface Message {
  readonly id?: unknown
  readonly method?: string
  readonly params?: readonly unknown[]
  readonly result?: unknown
  readonly error?: unknown
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

function socketAddress(endpoint: string): { path: string } | { host: string; port: number } {
  if (endpoint.startsWith('unix:')) return { path: endpoint.slice(5) }
  const tcp = /^tcp:\[?([^\]]+?)\]?:(\d+)$/.exec(endpoint)
  if (tcp?.[1] === undefined)
    throw new OvsdbError('unreachable', `not an OVSDB endpoint: ${endpoint} (expected unix:/path or tcp:address:port)`)
  return { host: tcp[1], port: Number(tcp[2]) }
}
