import { isRecord } from '../../lib/json.ts'
import { int, type Sql, textOr } from './connection.ts'
import { StoreError } from './error.ts'
import { lifeOf, type ProcessId } from './process.ts'
import type { Fence, Writer } from './writer.ts'

/** Milliseconds between two heartbeats, and how old the last may be before anybody may take the lease over. */
export const HEARTBEAT_MS = 5_000
export const LEASE_MS = 30_000
/** The same for a holder that certainly lives, on this machine: it may be stopped, but it may also be reading a very large repo. */
export const STALLED_MS = 300_000

export interface LeaseHolder extends ProcessId {
  /** ISO 8601, when it took the lease. */
  readonly since: string
}

export interface LeaseState {
  /** Rises by one with every new holder. */
  readonly fencing: number
  readonly holder?: LeaseHolder
  /** Milliseconds since the epoch. */
  readonly heartbeat: number
}

export async function readLease(sql: Sql): Promise<LeaseState> {
  const row = (await sql.get('SELECT fencing, holder, heartbeat FROM lease WHERE id = 1')) ?? {}
  const holder = textOr(row, 'holder')
  return {
    fencing: int(row, 'fencing'),
    heartbeat: int(row, 'heartbeat'),
    ...(holder === undefined ? {} : { holder: parseHolder(holder) }),
  }
}

/** Who must be respected at `now`: undefined when the lease is free, has lapsed, or its holder died on this machine. */
export function liveHolder(state: LeaseState, now: number): LeaseHolder | undefined {
  const { holder } = state
  return holder !== undefined && now - state.heartbeat <= patience(holder) ? holder : undefined
}

/** Milliseconds of silence after which the holder is taken for gone. */
function patience(holder: LeaseHolder): number {
  const life = lifeOf(holder)
  if (life === 'dead') return Number.NEGATIVE_INFINITY
  return life === 'alive' ? STALLED_MS : LEASE_MS
}

/**
 * The right to write revisions: one process at a time. It is kept by a heartbeat and frees itself some time after the last one.
 * A holder that was frozen meanwhile finds a higher fencing number at its next write and is refused (`locked`).
 */
export class Lease {
  readonly fencing: number
  readonly #writer: Writer
  readonly #clock: () => number
  readonly #timer: NodeJS.Timeout
  #released = false

  private constructor(writer: Writer, fencing: number, clock: () => number, onLost: (error: unknown) => void) {
    this.#writer = writer
    this.fencing = fencing
    this.#clock = clock
    this.#timer = setInterval(() => void this.#beat().catch(onLost), HEARTBEAT_MS)
    this.#timer.unref()
  }

  /** Takes the lease, or throws `locked` saying who has it and since when. `writer` must be without a fence or fenced by this very lease. */
  static async acquire(
    writer: Writer,
    me: ProcessId,
    options: { readonly clock: () => number; readonly onLost: (error: unknown) => void },
  ): Promise<Lease> {
    const now = options.clock()
    const fencing = await writer.tx(async (tx) => {
      const state = await readLease(tx)
      const holder = liveHolder(state, now)
      if (holder !== undefined) throw new StoreError('locked', describeHolder(holder, state.heartbeat, now))
      const mine: LeaseHolder = { ...me, since: new Date(now).toISOString() }
      await tx.run('UPDATE lease SET fencing = ?, holder = ?, heartbeat = ?', state.fencing + 1, JSON.stringify(mine), now)
      return state.fencing + 1
    })
    return new Lease(writer, fencing, options.clock, options.onLost)
  }

  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    clearInterval(this.#timer)
    await this.#writer.tx((tx) => tx.run('UPDATE lease SET holder = NULL, heartbeat = 0 WHERE fencing = ?', this.fencing))
  }

  async #beat(): Promise<void> {
    const changed = await this.#writer.tx((tx) => tx.run('UPDATE lease SET heartbeat = ? WHERE fencing = ?', this.#clock(), this.fencing), {
      durable: false,
    })
    if (changed === 0) throw lost(this.fencing)
  }
}

/**
 * Refuses a transaction once `fencing` is no longer the lease's number, or `inPlace` throws because the file is not the one at its path any more. Its last
 * statement is a heartbeat, so that a commit which took longer than the lease does not lose it by that; as the lease's own heartbeat is a transaction too, a file
 * that is gone is noticed without anything to commit.
 */
export function fence(fencing: number, options: { readonly clock: () => number; readonly inPlace: () => void }): Fence {
  return {
    before: async (tx) => {
      options.inPlace()
      if ((await readLease(tx)).fencing !== fencing) throw lost(fencing)
    },
    after: async (tx) => {
      await tx.run('UPDATE lease SET heartbeat = ? WHERE fencing = ?', options.clock(), fencing)
      options.inPlace()
    },
  }
}

function lost(fencing: number): StoreError {
  return new StoreError(
    'locked',
    `another process took the state file over while this one was not heard (lease ${fencing}); nothing was written`,
  )
}

function describeHolder(holder: LeaseHolder, heartbeat: number, now: number): string {
  const age = Math.max(0, Math.round((now - heartbeat) / 1000))
  return (
    `the state file is held by process ${holder.pid} on ${holder.host} since ${holder.since} (last heard ${age} s ago); ` +
    `it frees itself when that process ends, or ${patience(holder) / 1000} s after it was last heard`
  )
}

function parseHolder(json: string): LeaseHolder {
  const value: unknown = JSON.parse(json)
  if (!isRecord(value)) throw new StoreError('corrupt', `the lease's holder is not an object: ${json}`)
  const field = (name: string): string => String(value[name] ?? '')
  return { pid: Number(value['pid']), host: field('host'), boot: field('boot'), started: field('started'), since: field('since') }
}
