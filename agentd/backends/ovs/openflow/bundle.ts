import { formatFlow } from '../flow/format.ts'
import { ask } from './ask.ts'
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
  if (mods.length === 0) return
  const run = new BundleRun(connection, id, mods, timeout)
  try {
    await run.control(CONTROL.OPEN)
    await run.addAll()
    await run.barrier()
    if (run.failures.length > 0) throw run.refusal()
    await run.control(CONTROL.COMMIT)
  } catch (error) {
    if (connection.closed === undefined) await run.control(CONTROL.DISCARD).catch(() => {})
    throw error
  } finally {
    connection.listenRange(undefined)
  }
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
    const [first] = this.failures
    const more = this.failures.length > 1 ? ` (and ${this.failures.length - 1} more)` : ''
    return new OpenFlowError('refused', `the bridge refused flows: ${first?.text ?? 'no reason given'}${more}`, { failures: this.failures })
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
    this.failures.push({ index, name, text: mod === undefined ? name : `${name}: ${mod.command} ${formatFlow(mod.flow)}` })
  }
}
