import { spawn } from 'node:child_process'
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { DriverOptions } from '../../backend.ts'
import { type ControlConnection, connectControl, socketPath, VERSION } from '../responder/control.ts'

export interface ResponderKeeperOptions extends Pick<DriverOptions, 'rundir' | 'log' | 'responderLog'> {
  /** `fault` is another one than before. */
  readonly onChange: () => void
}

const AGENT = fileURLToPath(new URL('../../../main.js', import.meta.url))
const READY_MS = 3000
const START = { tries: 100, pause_ms: 50 } as const
const RETRY_MS = { first: 100, most: 30_000 } as const
/** One that has lived this long did not die of its start. */
const HEALTHY_MS = 10_000

/**
 * Sees to it that a responder runs while flows send packets to it, and that none runs when no flow does. It is a process of its own, which goes on when the agent ends: an agent that comes back
 * finds it by its socket.
 */
export class ResponderKeeper {
  readonly #options: ResponderKeeperOptions
  #wanted: boolean | undefined
  #run: Promise<void> | undefined
  #connection: ControlConnection | undefined
  #fault: string | undefined
  #hears = false
  readonly #waiting: (() => void)[] = []
  readonly #stop: AbortController = new AbortController()

  constructor(options: ResponderKeeperOptions) {
    this.#options = options
  }

  /** Why none runs though one is wanted; undefined where all is well. */
  get fault(): string | undefined {
    return this.#fault
  }

  want(wanted: boolean): void {
    if (this.#wanted === wanted || this.#stop.signal.aborted) return
    this.#wanted = wanted
    if (!wanted) this.#connection?.stop()
    this.#begin()
  }

  #begin(): void {
    this.#run ??= this.#follow().finally(() => {
      this.#run = undefined
      // It may have been asked for just when there was nothing left to do.
      if (this.#wanted === true && !this.#stop.signal.aborted) this.#begin()
    })
  }

  /** Resolves when the responder hears the switch, when it is known that none does, or after three seconds. */
  async ready(): Promise<void> {
    if (this.#hears) return
    await Promise.race([new Promise<void>((resolve) => this.#waiting.push(resolve)), sleep(READY_MS, undefined, { ref: false })])
  }

  /** The responder stays. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#connection?.close()
    await this.#run
  }

  async #follow(): Promise<void> {
    let pause: number = RETRY_MS.first
    while (!this.#stop.signal.aborted) {
      const found = await connectControl(socketPath(this.#options.rundir))
      if (found !== undefined) {
        const since = performance.now()
        await this.#hold(found)
        if (performance.now() - since > HEALTHY_MS) {
          pause = RETRY_MS.first
          continue
        }
      } else {
        if (!this.#wanted) return
        this.#say(await this.#start())
        if (this.#fault === undefined) continue
      }
      await sleep(pause, undefined, { signal: this.#stop.signal }).catch(() => {})
      pause = Math.min(2 * pause, RETRY_MS.most)
    }
  }

  /** Until it ends, or is to be no more. */
  async #hold(connection: ControlConnection): Promise<void> {
    this.#connection = connection
    if (this.#stop.signal.aborted) connection.close()
    else if (!this.#wanted || connection.greeting.version !== VERSION) connection.stop()
    else {
      this.#say(undefined)
      void connection.hears.then(() => {
        this.#hears = true
        this.#wake()
      })
    }
    await connection.ended
    this.#connection = undefined
    this.#hears = false
    if (this.#wanted && !this.#stop.signal.aborted)
      this.#options.log('warn', 'the responder ended; starting another', { pid: connection.greeting.pid })
  }

  /** Undefined: it listens. */
  async #start(): Promise<string | undefined> {
    const { rundir, responderLog: file } = this.#options
    if (file !== undefined) await mkdir(dirname(file), { recursive: true, mode: 0o750 })
    const log = file === undefined ? undefined : await open(file, 'a', 0o640)
    let exit: string | undefined
    const child = spawn(process.execPath, [AGENT, 'responder', '--rundir', rundir], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', log?.fd ?? 'ignore'],
    })
    child.once('error', (error) => (exit = error.message))
    child.once('exit', (code, signal) => (exit = `it ended with ${signal ?? code}`))
    child.unref()
    await log?.close()
    for (let n = 0; n < START.tries && exit === undefined && !this.#stop.signal.aborted; n++) {
      const found = await connectControl(socketPath(rundir))
      found?.close()
      if (found !== undefined) return undefined
      await sleep(START.pause_ms, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
    return this.#stop.signal.aborted ? undefined : `${exit ?? 'it does not answer'}${file === undefined ? '' : `; see ${file}`}`
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #say(fault: string | undefined): void {
    if (fault === this.#fault) return
    this.#fault = fault
    this.#wake()
    if (fault !== undefined) this.#options.log('error', 'the responder does not start; trying until it does', { fault })
    this.#options.onChange()
  }
}
