import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../src/model/brand.ts'
import type { HostIntent } from '../src/model/intent.ts'
import type { LogEntry } from '../src/model/log-entry.ts'
import type { DriftItem } from '../src/model/status.ts'
import type { Question } from '../src/wire/messages.ts'
import type { Backend, Driver } from './backends/backend.ts'
import { type Canary, type CanaryTiming, startCanary } from './canary.ts'
import { type ConvergeResult, type Converger, createConverger } from './converge/converger.ts'
import { type DriftClock, startDriftClock } from './drift-clock.ts'
import { expectedSet, forgottenStatuses, isLeave, leavingStatuses, savedInstallation } from './leave.ts'
import type { Log } from './log.ts'
import type { TargetSet } from './northbound/feed-core.ts'
import type { HostKeys } from './northbound/identity.ts'
import { type Northbound, type NorthboundTiming, openNorthbound } from './northbound/northbound.ts'
import { openStateFile } from './northbound/statefile.ts'
import { originOf } from './origin.ts'
import { openSecurityLog } from './security-log.ts'
import { convergeTarget, hostIntent } from './target.ts'

export interface RunOptions {
  readonly host: string
  readonly server: string
  readonly keys?: HostKeys
  readonly stateDir: string
  readonly rundir: string
  readonly database?: string
  readonly backend: Backend
  readonly log: Log
  readonly timing?: Partial<NorthboundTiming>
  readonly canary?: CanaryTiming
  /** Where what logs ask for is written down; `<stateDir>/log/security.jsonl` if left out. */
  readonly securityLog?: string
  /** Megabytes, after which that file is begun anew and the one before is dropped. */
  readonly securityLogMb?: number
  /** After every run of converge; for tests and progress. */
  readonly onResult?: (result: ConvergeResult) => void
}

export interface Agent {
  /** Resolves when no run is under way or due. */
  idle(): Promise<void>
  close(): Promise<void>
}

const VERSION = '0.1.0'
const RETRY_FIRST_MS = 500
const RETRY_MAX_MS = 30_000
const SWITCH_RETRY_MS = 1000
const FAILURES_TOLD = 5

/**
 * One host's agent: northbound offers complete sets, converge makes the switch hold them, the outcome is reported. The switch may be away when it starts, and so may the
 * server: the saved set is restored first.
 */
export async function startAgent(options: RunOptions): Promise<Agent> {
  const { log } = options
  await mkdir(options.stateDir, { recursive: true, mode: 0o750 })
  const stateFile = openStateFile(options.stateDir)
  const saved = await stateFile.load()
  const origin = await originOf(options.stateDir)
  for (const note of saved.notes) log('warn', note)
  const closing = new AbortController()
  const securityLog = openSecurityLog(options)
  let allocations = saved.allocations
  let driver: Driver | undefined
  let converger: Converger | undefined
  let clock: DriftClock | undefined
  let canary: Canary | undefined
  let policy: HostIntent | undefined
  let northbound: Northbound | undefined
  let pending: TargetSet | undefined
  let opening: Promise<void> | undefined
  let told = '[]'
  /** The last revision that was said to be there. */
  let arrivedAt: number | undefined
  let installation = savedInstallation(options.host, saved)
  /** When the server told this host to hold nothing; undefined while it is in the repository. */
  let leftAt: string | undefined

  function onTarget(target: TargetSet): void {
    const own = hostIntent(options.host, target.scopes)
    if (own === undefined) {
      leave(target)
      return
    }
    pending = target
    leftAt = undefined
    installation = own.installation
    if (policy?.drift.schedule !== own.drift.schedule) {
      void clock?.stop()
      clock = own.drift.mode === 'off' ? undefined : startDriftClock(own.drift.schedule, () => converger?.recheck(), log)
    }
    policy = own
    converger?.setMode(own.drift.mode)
    if (converger !== undefined) converger.setTarget(convergeTarget(target))
    else opening ??= openSwitch(own.installation).finally(() => (opening = undefined))
  }

  function leave(target: TargetSet): void {
    const { revision } = target
    if (!isLeave(target)) {
      log('warn', 'the set on disk does not know this host; nothing is changed before the server says so', { revision })
      return
    }
    leftAt ??= new Date().toISOString()
    if (installation === undefined) {
      const statuses = forgottenStatuses(options.host, options.stateDir, leftAt)
      log('error', 'this host left the repository, and nothing on disk tells what was made here; nothing is removed', { revision })
      northbound?.converged({ revision, converged: false, statuses, drift: [], facts: {}, allocations, timings: {} })
      return
    }
    log('info', 'this host left the repository: what was made here is removed', { revision, installation })
    void clock?.stop()
    clock = undefined
    policy = undefined
    pending = target
    converger?.setMode('repair')
    if (converger !== undefined) converger.setTarget(convergeTarget(target))
    else opening ??= openSwitch(installation).finally(() => (opening = undefined))
  }

  /** Tries until the switch answers; says so once. */
  async function openSwitch(installation: string): Promise<void> {
    for (let said = false; !closing.signal.aborted; ) {
      try {
        driver = await options.backend.open({
          ...options,
          installation,
          onLogged,
          responderLog: join(options.stateDir, 'log', 'responder.log'),
        })
        break
      } catch (error) {
        if (!said) log('error', 'the switch does not answer; trying until it does', { error: String(error) })
        said = true
        await pause(SWITCH_RETRY_MS, closing.signal)
      }
    }
    if (driver === undefined || closing.signal.aborted) return
    const opened = driver
    canary = startCanary({
      probe: (timeoutMs) => opened.probe(timeoutMs),
      onChange: onSwitch,
      now: () => new Date().toISOString(),
      ...(options.canary === undefined ? {} : { timing: options.canary }),
    })
    opened.onLost(() => canary?.doubt())
    converger = createConverger({
      host: options.host,
      installation,
      compiler: options.backend.compiler,
      driver,
      mode: policy?.drift.mode ?? 'repair',
      allocations,
      saveAllocations: async (table) => {
        await stateFile.saveAllocations(table)
        allocations = table
      },
      onResult,
      now: Date.now,
      backoff: (attempts) => Math.min(RETRY_FIRST_MS * 2 ** (attempts - 1), RETRY_MAX_MS),
      setTimer: (ms, fn) => {
        const timer = setTimeout(fn, ms)
        return { cancel: () => clearTimeout(timer) }
      },
      log,
    })
    const expected = expectedSet(saved, leftAt !== undefined)
    if (expected !== undefined) converger.expect(convergeTarget(expected))
    if (pending !== undefined) converger.setTarget(convergeTarget(pending))
  }

  /** The host's file comes first: it is whole also while the server is away. */
  function onLogged(entry: LogEntry): void {
    securityLog.write(entry, arrivedAt ?? pending?.revision)
    northbound?.logged(entry)
  }

  function onSwitch(): void {
    const state = canary?.state()?.state
    log(state === 'silent' ? 'error' : 'info', state === 'silent' ? 'the switch does not answer' : 'the switch answers')
    northbound?.changed()
  }

  function onResult(result: ConvergeResult): void {
    tellResult(result)
    const repaired = result.drift.filter((d) => d.action === 'repaired')
    if (repaired.length > 0) log('warn', 'drift repaired', { items: repaired.length, first: repaired[0]?.where })
    options.onResult?.(result)
    northbound?.converged({
      revision: result.revision,
      converged: result.converged,
      statuses: leftAt === undefined ? result.statuses : leavingStatuses(options.host, result, leftAt),
      drift: result.drift,
      facts: result.facts as unknown as JsonObject,
      allocations: result.allocations,
      timings: result.timings,
    })
  }

  /** A write that fails is told when it begins to fail, and not at every attempt. */
  function tellResult(result: ConvergeResult): void {
    const failing = JSON.stringify([...result.failed])
    const same = failing === told
    told = failing
    if (result.failed.size > 0 && !same) {
      const first = [...result.failed].slice(0, FAILURES_TOLD).map(([key, cause]) => `${key}: ${cause}`)
      log('warn', 'some things cannot be written; trying again', { revision: result.revision, items: result.failed.size, first })
    }
    const arrived = result.converged && result.revision !== arrivedAt
    if (result.written === 0 && !arrived) return
    if (result.converged) arrivedAt = result.revision
    const { revision, written, timings } = result
    const commit = pending?.revision === revision ? pending.commit : undefined
    const at = { revision, ...(commit === undefined ? {} : { commit }), written, ...timings }
    log(result.converged ? 'info' : 'debug', result.converged ? 'converged' : 'on the way', at)
  }

  async function answer(question: Question): Promise<JsonObject> {
    if (converger === undefined || driver === undefined) throw new Error('the switch does not answer yet')
    if (question.what !== 'drift') return await driver.ask(question)
    const items: readonly DriftItem[] = await converger.checkDrift()
    return { items: (items as unknown as JsonObject['items']) ?? [] }
  }

  northbound = openNorthbound({
    host: options.host,
    server: options.server,
    version: VERSION,
    keys: options.keys,
    origin,
    saved: saved.current,
    stateFile,
    log,
    onTarget,
    answer,
    dataplane: () => canary?.state(),
    ...(options.timing === undefined ? {} : { timing: options.timing }),
  })

  return {
    async idle() {
      await opening
      await converger?.idle()
    },
    async close() {
      closing.abort()
      canary?.close()
      await clock?.stop()
      await northbound?.close()
      await opening
      await converger?.close()
      await driver?.close()
      await securityLog.close()
    },
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
