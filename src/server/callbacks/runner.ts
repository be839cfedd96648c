import { type Backoff, backoffDelay } from '../../lib/backoff.ts'
import { displayKey, kindOf } from '../../model/key.ts'
import type { ActionSubscription, ChangeEvent, Subscribed, SystemEvent, SystemSubscription } from '../../plugins/callbacks.ts'
import { actorsAt, callsOf, type PlannedChange } from '../../plugins/notify.ts'
import type { CallsView } from '../render/callbacks.ts'
import type { CallOutcome, Store, StoredCall } from '../store/types.ts'
import { type Attempt, attempt } from './attempt.ts'
import { CallMemory, type MemoryCall, nameOf } from './memory.ts'
import { viewOf } from './view.ts'

export interface RunnerOptions {
  readonly subscriptions: readonly Subscribed[]
  readonly store: Pick<Store, 'callbacks' | 'resourceAt'>
  readonly revision: () => number
  readonly log: (level: 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void
  readonly backoff?: Backoff
  /** Milliseconds after which a call counts as failed. */
  readonly limitMs?: number
  /** Milliseconds that `process/before_stop`, and calls under way when the server stops, are given. */
  readonly graceMs?: number
  readonly now?: () => number
}

const BACKOFF: Backoff = { first: 1000, max: 300_000, factor: 2, jitter: 0.2 }
const LIMIT_MS = 60_000
const GRACE_MS = 3_000
/** Outcomes are written together, unless a call took so long. */
const PAGE = 200
const WRITE_AFTER_MS = 200

/**
 * Calls `after`, `abort` and `system` subscribers, one after the other, beside everything else the server does. Calls of `after` stand in the state file from the commit on and
 * leave it when they have succeeded: whatever happens to this process, they are made.
 */
export class CallbackRunner {
  readonly #options: RunnerOptions
  readonly #after: ReadonlyMap<string, Subscribed<ActionSubscription>>
  readonly #memory: CallMemory = new CallMemory()
  /** Subscriptions whose last call has not ended although its time is up. */
  readonly #hanging: Set<string> = new Set()
  readonly #stop: AbortController = new AbortController()
  #wake: () => void = () => undefined
  #awake = false
  #ended: Promise<void> = Promise.resolve()
  #closed: Promise<void> | undefined

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#after = new Map(actorsAt(options.subscriptions, 'after').map((s) => [nameOf({ plugin: s.plugin, subscription: s.name }), s]))
  }

  /** Forgets what was to be told to plugins that are gone, saying so, and begins. */
  async start(): Promise<void> {
    for (const gone of await this.#options.store.callbacks.keepOnly([...this.#after.keys()]))
      this.#options.log('warn', 'calls of a subscription that is not there any more are dropped', { ...gone })
    this.#ended = this.#loop()
    this.say([{ name: 'process/after_start' }])
  }

  /** There may be something new in the state file. */
  wake(): void {
    this.#awake = true
    this.#wake()
  }

  say(events: readonly SystemEvent[]): void {
    for (const event of events) {
      const about = event.host === undefined ? event.name : `${event.name} ${event.host}`
      for (const s of systemSubscribers(this.#options.subscriptions, event))
        this.#memory.add([this.#remembered(s, about, (context) => s.act(event, context))])
    }
    if (events.length > 0) this.wake()
  }

  /** What every judge had agreed to did not come. */
  abort(changes: readonly PlannedChange[]): void {
    for (const { subscription: s, event } of callsOf(actorsAt(this.#options.subscriptions, 'abort'), changes))
      this.#memory.add([this.#remembered(s, `abort ${event.verb} ${displayKey(event.key)}`, (context) => s.act(event, context))])
    this.wake()
  }

  /** What has not succeeded yet; at most `limit` calls are named. */
  async waiting(limit: number): Promise<CallsView> {
    return viewOf(await this.#options.store.callbacks.waiting(limit), this.#memory.waiting, limit)
  }

  /** Tells `process/before_stop`, stops calling, and waits a little for the call under way. What has not succeeded is called again by the next run. */
  async close(): Promise<void> {
    this.#closed ??= this.#close()
    await this.#closed
  }

  async #close(): Promise<void> {
    this.#stop.abort(new Error('the server stops'))
    this.#wake()
    await this.#ended
    const event: SystemEvent = { name: 'process/before_stop' }
    for (const s of systemSubscribers(this.#options.subscriptions, event)) {
      const call = this.#remembered(s, event.name, (context) => s.act(event, context))
      const { graceMs = GRACE_MS } = this.#options
      const context = this.#context(call)
      const how = await attempt((c) => call.act(c), { limitMs: graceMs, graceMs: 0, signal: new AbortController().signal, context })
      if ('error' in how) this.#tell(call, how.error)
    }
  }

  #remembered(s: Subscribed, about: string, act: MemoryCall['act']): MemoryCall {
    const now = this.#now()
    const revision = this.#options.revision()
    return { plugin: s.plugin, subscription: s.name, about, revision, since: now, nextAt: now, attempts: 0, act }
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      this.#awake = false
      const next = await this.#round().catch((error: unknown) => {
        this.#options.log('error', 'subscribers cannot be called', { error: String(error) })
        return this.#now() + BACKOFF.first
      })
      if (!this.#awake && !signal.aborted) await this.#sleepUntil(next)
    }
  }

  /** Makes every call that is due. Returns when the next one is. */
  async #round(): Promise<number | undefined> {
    for (let call = this.#dueInMemory(); call !== undefined; call = this.#dueInMemory()) await this.#callRemembered(call)
    const next = this.#memory.next(this.#hanging)
    if (this.#after.size === 0) return next
    const { callbacks } = this.#options.store
    const due = await callbacks.due(this.#now(), [...this.#hanging], PAGE)
    if (due.length > 0 && !this.#stop.signal.aborted) {
      await this.#callStored(due)
      return 0
    }
    const stored = await callbacks.next([...this.#hanging])
    return stored === undefined ? next : Math.min(stored, next ?? stored)
  }

  #dueInMemory(): MemoryCall | undefined {
    return this.#stop.signal.aborted ? undefined : this.#memory.due(this.#now(), this.#hanging)
  }

  async #callRemembered(call: MemoryCall): Promise<void> {
    const how = await this.#attempt(call, (context) => call.act(context))
    if (how.how === 'done') this.#memory.settle(call)
    else if (how.how !== 'stopped') this.#memory.settle(call, this.#failed(call, how.error))
  }

  async #callStored(due: readonly StoredCall[]): Promise<void> {
    let outcomes: CallOutcome[] = []
    let first = this.#now()
    const write = async (): Promise<void> => {
      if (outcomes.length > 0) await this.#options.store.callbacks.settle(outcomes)
      outcomes = []
      first = this.#now()
    }
    for (const call of due) {
      const subscription = this.#after.get(nameOf(call))
      if (this.#stop.signal.aborted) break
      if (subscription === undefined || this.#hanging.has(nameOf(call))) continue
      const event = await this.#eventOf(call)
      const how = await this.#attempt(call, (context) => subscription.act(event, context))
      if (how.how === 'stopped') break
      outcomes.push(how.how === 'done' ? { id: call.id } : { id: call.id, failed: this.#failed(call, how.error) })
      if (this.#now() - first >= WRITE_AFTER_MS || how.how !== 'done') await write()
    }
    await write()
  }

  async #eventOf({ key, revision, verb }: StoredCall): Promise<ChangeEvent> {
    const before = await this.#options.store.resourceAt(key, revision - 1)
    const after = await this.#options.store.resourceAt(key, revision)
    return {
      verb,
      kind: kindOf(key),
      key,
      ...(before === undefined || verb === 'create' ? {} : { before }),
      ...(after === undefined || verb === 'delete' ? {} : { after }),
      recreated: verb !== 'update' && before !== undefined && after !== undefined,
    }
  }

  async #attempt(call: MemoryCall | StoredCall, act: MemoryCall['act']): Promise<Attempt> {
    const { limitMs = LIMIT_MS, graceMs = GRACE_MS } = this.#options
    const how = await attempt(act, { limitMs, graceMs, signal: this.#stop.signal, context: this.#context(call) })
    if (how.how === 'hangs') {
      const name = nameOf(call)
      this.#hanging.add(name)
      void how.end.then(() => {
        this.#hanging.delete(name)
        this.wake()
      })
    }
    return how
  }

  #context(call: MemoryCall | StoredCall): Parameters<typeof attempt>[1]['context'] {
    const { plugin, subscription, revision } = call
    return { revision, log: (level, message, detail) => this.#options.log(level, message, { plugin, subscription, ...detail }) }
  }

  #failed(call: MemoryCall | StoredCall, error: string): { readonly error: string; readonly nextAt: number } {
    // The same fault is told once; status has the count.
    if (call.error !== error) this.#tell(call, error)
    return { error, nextAt: this.#now() + backoffDelay(this.#options.backoff ?? BACKOFF, call.attempts + 1, Math.random()) }
  }

  #tell({ plugin, subscription, ...call }: MemoryCall | StoredCall, error: string): void {
    const about = 'about' in call ? call.about : `after ${call.verb} ${displayKey(call.key)}`
    this.#options.log('warn', 'a subscriber failed; it is tried again', { plugin, subscription, about, revision: call.revision, error })
  }

  #now(): number {
    return (this.#options.now ?? Date.now)()
  }

  async #sleepUntil(at: number | undefined): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      if (at !== undefined) timer = setTimeout(resolve, Math.max(0, at - this.#now()))
    })
    clearTimeout(timer)
    this.#wake = () => undefined
  }
}

function systemSubscribers(subscriptions: readonly Subscribed[], event: SystemEvent): readonly Subscribed<SystemSubscription>[] {
  return subscriptions.flatMap((s) => (s.stage === 'system' && s.events.includes(event.name) ? [s] : []))
}
