import { formatFlow } from '../flow/format.ts'
import { ask, orderWhole } from './ask.ts'
import { ByteWriter } from './bytes.ts'
import type { Connection } from './connection.ts'
import { TYPE } from './constants.ts'
import { type Failure, OpenFlowError } from './error.ts'
import { type FlowMod, finishMessage, putFlowMod, putHeader, ROOM } from './flow-mod.ts'

/** All changes or none, in order: OpenFlow 1.4, 7.3.9. One bundle at a time on one connection. */

const CONTROL = { OPEN: 0, COMMIT: 4, DISCARD: 6 } as const
const ATOMIC_ORDERED = 3
/** Bytes encoded before they are handed to the socket, so that the switch reads while we write. */
const CHUNK = 1 << 18

/**
 * Rejects with OpenFlowError: `refused` (then `failures` tell which changes, with OVS's words) or `encode`; in both cases nothing was
 * changed. After `timeout` or `closed` it is not known.
 */
export async function applyBundle(connection: Connection, id: number, mods: readonly FlowMod[], timeout: number): Promise<void> {
  const [only] = mods
  if (only === undefined) return
  if (mods.length === 1) {
    await applyOne(connection, only, timeout)
    return
  }
  const run = new BundleRun(connection, id, mods, timeout)
  try {
    // One round trip: the answers come in order, so a bundle that could not be opened is known at the barrier.
    const [opened, added] = await Promise.allSettled([run.control(CONTROL.OPEN), run.addAll().then(() => run.barrier())])
    if (opened.status === 'rejected') throw opened.reason
    if (added.status === 'rejected') throw added.reason
    if (run.failures.length > 0) throw run.refusal()
    await run.control(CONTROL.COMMIT)
  } catch (error) {
    if (connection.closed === undefined) await run.control(CONTROL.DISCARD).catch(() => {})
    throw error
  } finally {
    connection.listenRange(undefined)
  }
}

/** A single change is atomic by itself. */
async function applyOne(connection: Connection, mod: FlowMod, timeout: number): Promise<void> {
  try {
    await orderWhole(connection, (w, xid) => putFlowMod(w, mod, xid), timeout)
  } catch (error) {
    if (!(error instanceof OpenFlowError) || (error.code !== 'refused' && error.code !== 'encode')) throw error
    const name = error.failures[0]?.name ?? 'encode'
    throw refusal(error.code, [{ index: 0, name, text: failureText(name, mod) }])
  }
}

function failureText(name: string, mod: FlowMod | undefined): string {
  return mod === undefined ? name : `${name}: ${mod.command} ${formatFlow(mod.flow)}`
}

function refusal(code: 'refused' | 'encode', failures: readonly Failure[]): OpenFlowError {
  const more = failures.length > 1 ? ` (and ${failures.length - 1} more)` : ''
  return new OpenFlowError(code, `the bridge refused flows: ${failures[0]?.text ?? 'no reason given'}${more}`, { failures })
}

class BundleRun {
  readonly failures: Failure[] = []
  readonly #connection: Connection
  readonly #id: number
  readonly #mods: readonly FlowMod[]
  readonly #first: number
  readonly #timeout: number

  constructor(connection: Connection, id: number, mods: readonly FlowMod[], timeout: number) {
    this.#connection = connection
    this.#id = id
    this.#mods = mods
    this.#timeout = timeout
    this.#first = connection.takeXids(mods.length)
    connection.listenRange({ first: this.#first, count: mods.length, onError: (xid, name) => this.#failed(xid - this.#first, name) })
  }

  refusal(): OpenFlowError {
    return refusal('refused', this.failures)
  }

  async addAll(): Promise<void> {
    let w = new ByteWriter(CHUNK + ROOM)
    for (const [i, mod] of this.#mods.entries()) {
      this.#putAdd(w, mod, i)
      if (w.at < CHUNK) continue
      await this.#connection.write(w.done())
      w = new ByteWriter(CHUNK + ROOM)
    }
    if (w.at > 0) await this.#connection.write(w.done())
  }

  /** The envelope carries the same number as what is in it. */
  #putAdd(w: ByteWriter, mod: FlowMod, index: number): void {
    const xid = this.#first + index
    const start = w.at
    w.reserve(ROOM)
    putHeader(w, TYPE.BUNDLE_ADD, xid)
    w.u32(this.#id)
    w.u16(0)
    w.u16(ATOMIC_ORDERED)
    try {
      putFlowMod(w, mod, xid)
      finishMessage(w, start, () => formatFlow(mod.flow))
    } catch (cause) {
      if (!(cause instanceof OpenFlowError)) throw cause
      throw new OpenFlowError('encode', cause.message, { cause, failures: [{ index, name: 'encode', text: cause.message }] })
    }
  }

  async control(type: number): Promise<void> {
    const put = (w: ByteWriter): void => {
      w.u32(this.#id)
      w.u16(type)
      w.u16(ATOMIC_ORDERED)
    }
    try {
      await ask(this.#connection, TYPE.BUNDLE_CONTROL, put, this.#timeout)
    } catch (error) {
      // A commit fails for one of its messages, which is told first.
      throw this.failures.length > 0 && error instanceof OpenFlowError && error.code === 'refused' ? this.refusal() : error
    }
  }

  async barrier(): Promise<void> {
    await ask(this.#connection, TYPE.BARRIER_REQUEST, () => {}, this.#timeout)
  }

  #failed(index: number, name: string): void {
    const mod = this.#mods[index]
    this.failures.push({ index, name, text: failureText(name, mod) })
  }
}
