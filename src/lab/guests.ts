import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Key } from '../model/key.ts'
import { LabError } from './errors.ts'
import type { AnswerLine, AskLine, GuestAnswers, GuestAsk } from './guest/protocol.ts'
import { findGuest, type Lab } from './lab.ts'
import { guestNetns } from './names.ts'

const PROGRAM = fileURLToPath(new URL('./guest/main.js', import.meta.url))

/** The answer to a question of this `op`. */
export type AnswerTo<A extends GuestAsk> = GuestAnswers[A['op']]

/** The programs inside a lab's guests; each is started when it is first needed. Close it, or the process does not end. */
export class Guests {
  readonly #lab: Lab
  readonly #running: Map<Key, Promise<GuestProgram>> = new Map()

  constructor(lab: Lab) {
    this.#lab = lab
  }

  /** Starts the program in each of these guests, so that others can reach it. */
  async ready(ports: Iterable<Key>): Promise<void> {
    await Promise.all([...ports].map(async (port) => await this.#program(port)))
  }

  /** @throws LabError `no_such_guest`, `guest_lost`. */
  async ask<A extends GuestAsk>(port: Key, ask: A): Promise<AnswerTo<A>> {
    const program = await this.#program(port)
    return await program.ask(ask)
  }

  async close(): Promise<void> {
    const programs = await Promise.allSettled(this.#running.values())
    this.#running.clear()
    await Promise.all(programs.map(async (p) => (p.status === 'fulfilled' ? await p.value.close() : undefined)))
  }

  #program(port: Key): Promise<GuestProgram> {
    const known = this.#running.get(port)
    if (known !== undefined) return known
    const starting = GuestProgram.start(guestNetns(this.#lab.tag, findGuest(this.#lab, port).port))
    this.#running.set(port, starting)
    return starting
  }
}

class GuestProgram {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #waiting: Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }> = new Map()
  #next = 1
  #stderr = ''
  #lost: LabError | undefined

  private constructor(netns: string) {
    this.#child = spawn('nsenter', [`--net=/run/netns/${netns}`, process.execPath, '--max-old-space-size=128', PROGRAM], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child.stdin.on('error', () => {})
    this.#child.stderr.on('data', (text: Buffer) => {
      this.#stderr = (this.#stderr + text.toString()).slice(-2000)
    })
    this.#child.on('error', (cause) => this.#end(netns, cause))
    this.#child.on('close', () => this.#end(netns, undefined))
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#onLine(line))
  }

  static async start(netns: string): Promise<GuestProgram> {
    const program = new GuestProgram(netns)
    await program.ask({ op: 'hello' })
    return program
  }

  ask<A extends GuestAsk>(ask: A): Promise<AnswerTo<A>> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    const line: AskLine = { id: this.#next++, ask }
    return new Promise((resolve, reject) => {
      this.#waiting.set(line.id, { resolve, reject })
      this.#child.stdin.write(`${JSON.stringify(line)}\n`)
    })
  }

  /** Ends the program and waits until it is gone. */
  close(): Promise<void> {
    if (this.#lost !== undefined) return Promise.resolve()
    return new Promise((resolve) => {
      this.#child.on('close', () => resolve())
      this.#child.stdin.end()
    })
  }

  #onLine(text: string): void {
    // The other end of the pipe is guest/main.ts of the same build.
    const line = JSON.parse(text) as AnswerLine
    const waiter = this.#waiting.get(line.id)
    this.#waiting.delete(line.id)
    if ('error' in line) waiter?.reject(new LabError('guest_lost', line.error))
    else waiter?.resolve(line.answer as never)
  }

  #end(netns: string, cause: Error | undefined): void {
    this.#lost ??= new LabError('guest_lost', `the program in ${netns} ended: ${cause?.message ?? (this.#stderr.trim() || 'no word')}`, {
      cause,
    })
    for (const waiter of this.#waiting.values()) waiter.reject(this.#lost)
    this.#waiting.clear()
  }
}
