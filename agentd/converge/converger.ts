import { type Key, makeKey } from '../../src/model/key.ts'
import type { DriftItem, ObjectStatus } from '../../src/model/status.ts'
import type { AllocationTable, Compiled, Compiler, Delta, Driver, Facts, Foreign, IntentSet, Item, Outcome } from '../backends/backend.ts'
import { driftIdentity, driftItems, foreignOf, isDrift } from './drift.ts'
import { withHarm } from './harm.ts'
import { objectStatuses } from './status.ts'
import { type Failure, isEmptyDelta, isPaused, provenAfter, splitDelta, unreadFailures, wantedTexts, wholeDelta } from './tracker.ts'
import { unsavedStatuses } from './unsaved.ts'

/** `repair`: drift is put back at once. `report`: it is told and left. `off`: not even looked for between changes. */
export type DriftMode = 'off' | 'report' | 'repair'

export interface ConvergeTarget {
  readonly revision: number
  readonly intents: IntentSet
}

export interface ConvergeResult {
  readonly revision: number
  /** Nothing pending and nothing failed. */
  readonly converged: boolean
  readonly statuses: ReadonlyMap<Key, ObjectStatus>
  /** Found by this run; includes what it repaired. */
  readonly drift: readonly DriftItem[]
  readonly allocations: AllocationTable
  readonly facts: Facts
  readonly timings: Readonly<Record<string, number>>
  /** Items written by this run. */
  readonly written: number
  /** Items that could not be written so far, with the switch's own words. */
  readonly failed: ReadonlyMap<string, string>
}

export interface ConvergerOptions {
  readonly host: string
  readonly installation: string
  readonly compiler: Compiler
  readonly driver: Driver
  readonly mode: DriftMode
  readonly allocations: AllocationTable
  /** Made durable before anything is written with them: a crash must not forget a number that a flow carries. */
  readonly saveAllocations: (table: AllocationTable) => Promise<void>
  readonly onResult: (result: ConvergeResult) => void
  readonly now: () => number
  /** Milliseconds before attempt n+1 of an item. */
  readonly backoff: (attempts: number) => number
  readonly setTimer: (ms: number, fn: () => void) => { cancel(): void }
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void
}

export interface Converger {
  /** The complete set at exactly one target. Replaces the former one; nothing is deleted before the first call. */
  setTarget(target: ConvergeTarget): void
  /** Known from disk: what the switch held when this agent last ran. Differences from it are drift, not work. */
  expect(target: ConvergeTarget): void
  setMode(mode: DriftMode): void
  /** Reads everything again and compares; writes nothing. */
  checkDrift(): Promise<readonly DriftItem[]>
  /** Compares with a fresh reading and, in repair mode, puts back what differs. */
  recheck(): void
  /** Resolves when no run is under way or due. */
  idle(): Promise<void>
  close(): Promise<void>
}

/**
 * Level-triggered: whatever happened, a run compares the whole desired set with the whole actual set and writes the difference. Runs never overlap; causes that
 * arrive during a run make one more.
 */
export function createConverger(options: ConvergerOptions): Converger {
  const { driver, compiler, log } = options
  const self = makeKey('host', '', options.host)
  let mode = options.mode
  let target: ConvergeTarget | undefined
  let allocations = options.allocations
  let proven: ReadonlyMap<string, Pick<Item, 'text'>> = new Map()
  let failures: ReadonlyMap<string, Failure> = new Map()
  let statuses: ReadonlyMap<Key, ObjectStatus> = new Map()
  let seen = new Map<string, string>()
  let due = false
  let fresh = true
  let closed = false
  let fault = ''
  /** In a row, after which connections could not be ended. */
  let unsettledRuns = 0
  let running: Promise<void> | undefined
  let timer: { cancel(): void } | undefined

  driver.onChange(() => wake())

  function wake(): void {
    due = true
    if (running !== undefined || closed || target === undefined) return
    running = loop().finally(() => {
      running = undefined
      if (due) wake()
    })
  }

  async function loop(): Promise<void> {
    while (due && !closed && target !== undefined) {
      due = false
      timer?.cancel()
      try {
        await run(target)
        fault = ''
      } catch (error) {
        // Told once for as long as it is the same: a switch may be away for hours.
        log(String(error) === fault ? 'debug' : 'error', 'convergence failed, will try again', {
          error: String(error),
          stack: error instanceof Error ? error.stack : undefined,
        })
        fault = String(error)
        fresh = true
        timer = options.setTimer(options.backoff(1), wake)
      }
    }
  }

  function compile(at: ConvergeTarget): Compiled {
    return compiler.compile({
      host: options.host,
      installation: options.installation,
      intents: at.intents,
      facts: driver.facts(),
      allocations,
    })
  }

  async function run(at: ConvergeTarget): Promise<void> {
    const began = options.now()
    const compiled = compile(at)
    if (compiled.allocations !== allocations) {
      await options.saveAllocations(compiled.allocations).catch((error: unknown) => {
        tellUnsaved(at, error)
        throw error
      })
      allocations = compiled.allocations
    }
    const compiledAt = options.now()
    const observed = await driver.observe({ fresh })
    fresh = false
    const observedAt = options.now()
    const delta = wholeDelta(compiled.items, observed.items)
    const { taken: unread, left: read } = splitDelta(delta, (key) => observed.unread?.concerns(key) === true)
    const wanted = wantedTexts(read)
    const drifted = splitDelta(read, (key) => isDrift(key, wanted.get(key) ?? '', proven))
    const allowed = mode === 'repair' ? read : drifted.left
    const ready = splitDelta(allowed, (key) => !isPaused(failures, key, wanted.get(key) ?? '', options.now())).taken
    driver.prepare?.(compiled)
    const outcome = isEmptyDelta(ready) ? NOTHING_DONE : await driver.apply(ready)
    const pending = settle(compiled, delta, ready, outcome)
    const unsettled = await driver.settle?.(compiled).then(
      () => undefined,
      (error: unknown) => String(error),
    )
    const nowText = new Date(options.now()).toISOString()
    // What was written may have opened the way to what could not be read.
    const again = outcome.deferred.size > 0 || (observed.unread !== undefined && outcome.verified.size > 0)
    const unreadable = observed.unread === undefined || again ? [] : unreadFailures(unread, observed.unread.cause)
    const failing = new Map([...failures, ...unreadable])
    statuses = objectStatuses(withHarm(compiled, self, observed.foreign), pending, failing, statuses, nowText)
    const drift = rememberDrift(drifted.taken, foreignOf(compiled, observed), nowText)
    scheduleRetry()
    if (unsettled === undefined) unsettledRuns = 0
    else lookAgain(unsettled)
    if (again) due = true
    options.onResult({
      revision: at.revision,
      converged: isEmptyDelta(pending) && failing.size === 0,
      statuses,
      drift,
      allocations,
      facts: driver.facts(),
      written: ready.add.length + ready.change.length + ready.remove.length,
      failed: new Map([...failing].map(([key, { cause }]) => [key, cause])),
      timings: { compile: compiledAt - began, observe: observedAt - compiledAt, ...outcome.timings, total: options.now() - began },
    })
  }

  /** Nothing is written with numbers that a crash would forget; told when it begins, since it may last for hours. */
  function tellUnsaved({ revision }: ConvergeTarget, error: unknown): void {
    const cause = `nothing is changed on this host before its numbers can be saved: ${error instanceof Error ? error.message : String(error)}`
    const next = unsavedStatuses(statuses, self, { cause, now: new Date(options.now()).toISOString() })
    if (next === statuses) return
    statuses = next
    options.onResult({
      revision,
      converged: false,
      statuses,
      drift: [],
      allocations,
      facts: driver.facts(),
      written: 0,
      failed: new Map(),
      timings: {},
    })
  }

  /** Books what was written, what failed and what is proven; returns what is still to do. */
  function settle(compiled: Compiled, delta: Delta, tried: Delta, outcome: Outcome): Delta {
    const now = options.now()
    const triedTexts = wantedTexts(tried)
    const wanted = wantedTexts(delta)
    const done = (key: string): boolean => triedTexts.has(key) && !outcome.failed.has(key) && !outcome.deferred.has(key)
    const nextFailures = new Map<string, Failure>()
    for (const [key, cause] of outcome.failed) {
      const attempts = (failures.get(key)?.attempts ?? 0) + 1
      nextFailures.set(key, { attempts, cause, retryAt: now + options.backoff(attempts), text: wanted.get(key) ?? '' })
    }
    for (const [key, failure] of failures) {
      if (!nextFailures.has(key) && !done(key) && wanted.get(key) === failure.text) nextFailures.set(key, failure)
    }
    failures = nextFailures
    const pending = splitDelta(delta, (key) => !done(key)).taken
    proven = provenAfter(compiled.items, pending, proven)
    return pending
  }

  function rememberDrift(delta: Delta, foreign: readonly Foreign[], now: string): DriftItem[] {
    if (mode === 'off') return []
    const items = driftItems(delta, foreign, mode === 'repair' ? 'repaired' : 'report', seen, now)
    seen = new Map(items.filter((i) => i.action !== 'repaired').map((i) => [driftIdentity(i), i.since]))
    return items
  }

  function lookAgain(error: string): void {
    // Told once for as long as it goes on.
    log(unsettledRuns === 0 ? 'warn' : 'debug', 'connections that are allowed no more could not be ended, will try again', { error })
    timer?.cancel()
    timer = options.setTimer(options.backoff(++unsettledRuns), wake)
  }

  function scheduleRetry(): void {
    timer?.cancel()
    timer = undefined
    if (failures.size === 0) return
    const next = Math.min(...[...failures.values()].map((f) => f.retryAt))
    timer = options.setTimer(Math.max(0, next - options.now()), wake)
  }

  return {
    setTarget(next) {
      target = next
      wake()
    },
    expect(previous) {
      const compiled = compile(previous)
      proven = compiled.items
    },
    setMode(next) {
      mode = next
    },
    async checkDrift() {
      if (target === undefined) return []
      const observed = await driver.observe({ fresh: true })
      const compiled = compile(target)
      const delta = splitDelta(wholeDelta(compiled.items, observed.items), (key) => observed.unread?.concerns(key) !== true).taken
      const at = new Date(options.now()).toISOString()
      return driftItems(delta, foreignOf(compiled, observed), mode === 'repair' ? 'repair' : 'report', seen, at)
    },
    recheck() {
      fresh = true
      wake()
    },
    async idle() {
      while (running !== undefined) await running
    },
    async close() {
      closed = true
      timer?.cancel()
      await running
    },
  }
}

const NOTHING_DONE: Outcome = { failed: new Map(), deferred: new Set(), verified: new Set(), timings: {} }
