import type { JsonObject } from '../../../src/model/brand.ts'
import type { Delta, Driver, DriverOptions, Facts, InterfaceFact, Item, Observed, Outcome } from '../backend.ts'
import type { Arrival, Departure, Frame } from './frame.ts'
import { forward, type Learned } from './switch.ts'

/** What a test holds of a fake switch: the hands that act behind the agent's back. */
export interface FakeSwitch {
  readonly host: string
  /** What the switch holds now. */
  items(): ReadonlyMap<string, Item>
  /** Someone else writes (`item`) or removes (undefined) an entry. The driver hears of it. */
  tamper(key: string, item: Item | undefined): void
  /** A VM plugs (`fact`) or unplugs (undefined) an interface. The driver hears of it. */
  plug(name: string, fact: InterfaceFact | undefined): void
  setBridges(bridges: readonly string[]): void
  /** The switch loses everything, as after a restart. */
  wipe(): void
  /** Answers with words of the switch: why the item is refused, or undefined. Asked for every item of every write. */
  refuse(why: (item: Item) => string | undefined): void
  /** Writes wait until the promise resolves. */
  hold(until: Promise<void>): void
  /** Items written so far, removals included. */
  writes(): number
  forward(arrival: Arrival, frame: Frame): readonly Departure[]
  /** Addresses learned from frames are forgotten. */
  forget(): void
}

/** Survives its drivers, as a switch survives its agents. */
export class FakeSwitchState implements FakeSwitch {
  readonly host: string
  readonly #items: Map<string, Item> = new Map()
  readonly #learned: Learned = new Map()
  readonly #listeners: Set<(what: 'facts' | 'items') => void> = new Set()
  #interfaces: Readonly<Record<string, InterfaceFact>> = {}
  #bridges: readonly string[] = []
  #refuse: (item: Item) => string | undefined = () => undefined
  #held: Promise<void> = Promise.resolve()
  #writes = 0

  constructor(host: string) {
    this.host = host
  }

  items(): ReadonlyMap<string, Item> {
    return this.#items
  }

  tamper(key: string, item: Item | undefined): void {
    if (item === undefined) this.#items.delete(key)
    else this.#items.set(key, item)
    this.#notify('items')
  }

  plug(name: string, fact: InterfaceFact | undefined): void {
    const { [name]: _, ...others } = this.#interfaces
    this.#interfaces = fact === undefined ? others : { ...others, [name]: fact }
    this.#notify('facts')
  }

  setBridges(bridges: readonly string[]): void {
    this.#bridges = bridges
    this.#notify('facts')
  }

  wipe(): void {
    this.#items.clear()
    this.#learned.clear()
    this.#notify('items')
  }

  refuse(why: (item: Item) => string | undefined): void {
    this.#refuse = why
  }

  hold(until: Promise<void>): void {
    this.#held = until
  }

  writes(): number {
    return this.#writes
  }

  answered(): Promise<void> {
    return this.#held
  }

  forward(arrival: Arrival, frame: Frame): readonly Departure[] {
    return forward(this.#items, this.#learned, arrival, frame)
  }

  forget(): void {
    this.#learned.clear()
  }

  /** The driver's end. */
  facts(): Facts {
    return { datapath_type: 'fake', version: '1', capabilities: [], interfaces: this.#interfaces, bridges: this.#bridges }
  }

  listen(listener: (what: 'facts' | 'items') => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async write(delta: Delta): Promise<Outcome> {
    await this.#held
    const failed = new Map<string, string>()
    const verified = new Set<string>()
    const one = (item: Item, act: () => void): void => {
      this.#writes++
      const why = this.#refuse(item)
      if (why !== undefined) {
        failed.set(item.key, why)
        return
      }
      act()
      verified.add(item.key)
    }
    for (const item of delta.remove) one(item, () => this.#items.delete(item.key))
    for (const { after } of delta.change) one(after, () => this.#items.set(after.key, after))
    for (const item of delta.add) one(item, () => this.#items.set(item.key, item))
    return { failed, deferred: new Set(), verified, timings: {} }
  }

  #notify(what: 'facts' | 'items'): void {
    for (const listener of this.#listeners) listener(what)
  }
}

/** An agent's connection to a fake switch. */
export function openFakeDriver(state: FakeSwitchState, options: Pick<DriverOptions, 'log'>): Driver {
  const undo: (() => void)[] = []
  let closed = false
  const open = (): void => {
    if (closed) throw new Error('the driver is closed')
  }
  options.log('debug', 'connected to the model switch', { host: state.host })
  return {
    facts() {
      open()
      return state.facts()
    },
    async observe(): Promise<Observed> {
      open()
      return { items: new Map(state.items()), foreign: [] }
    },
    async apply(delta) {
      open()
      return state.write(delta)
    },
    async probe() {
      open()
      await state.answered()
    },
    onChange(listener) {
      undo.push(state.listen(listener))
    },
    onLost() {
      // Nothing lies between a driver and a switch in the same memory.
    },
    async ask(question): Promise<JsonObject> {
      open()
      if (question.what === 'flows') return { items: [...state.items().values()].map((item) => item.text).sort() }
      return { error: `the model switch does not know the question ${question.what}` }
    },
    async close() {
      closed = true
      for (const stop of undo) stop()
    },
  }
}
