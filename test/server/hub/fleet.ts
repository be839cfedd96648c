import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TargetSet } from '../../../agentd/northbound/feed-core.ts'
import type { HostKeys } from '../../../agentd/northbound/identity.ts'
import { type Northbound, openNorthbound } from '../../../agentd/northbound/northbound.ts'
import type { SavedSet } from '../../../agentd/northbound/statefile.ts'
import { setDigest } from '../../../src/lib/digest.ts'
import type { JsonObject } from '../../../src/model/brand.ts'
import type { Key } from '../../../src/model/key.ts'
import type { ObjectStatus } from '../../../src/model/status.ts'
import { type Hub, type HubHandlers, type HubOptions, openHub, type Workers } from '../../../src/server/hub/hub.ts'
import type { Endpoints } from '../../../src/wire/endpoints.ts'
import type { Origin, Question, Speaks } from '../../../src/wire/messages.ts'

/* Hubs and agents for tests on real sockets. Timers are short; nothing here waits for a fixed time where it can wait for an event. */

export const HEARTBEAT_MS = 100
export const WORKERS: Workers = { rpc: 1, reports: 1 }
export const LOCAL: Endpoints = { pub: 'tcp://127.0.0.1:*', rpc: 'tcp://127.0.0.1:*', reports: 'tcp://127.0.0.1:*' }

/** ipc endpoints in a directory of their own, so that a hub can be started again at the same place. */
export async function ipcEndpoints(): Promise<Endpoints & { remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'netloom-hub-'))
  const at = (name: string): string => `ipc://${join(directory, name)}`
  return { pub: at('pub'), rpc: at('rpc'), reports: at('reports'), remove: () => rm(directory, { recursive: true, force: true }) }
}

/** What of a test's context is used here. */
export interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

/** Closed with the test, however it ends. */
export async function startHub(t: Teardown, options: Partial<HubOptions> = {}, handlers: Partial<HubHandlers> = {}): Promise<Hub> {
  const hub = await openHub(
    { endpoints: LOCAL, installation: 'test', heartbeatMs: HEARTBEAT_MS, security: { mode: 'local-only' }, workers: WORKERS, ...options },
    {
      onHello: () => undefined,
      onReport: () => Promise.resolve(undefined),
      onFault: (error) => {
        throw error
      },
      warn: () => undefined,
      onRefused: () => undefined,
      ...handlers,
    },
  )
  t.teardown(() => hub.close())
  return hub
}

export interface TestAgent {
  readonly host: string
  readonly northbound: Northbound
  /** Every set offered, in order. */
  readonly offers: readonly TargetSet[]
  readonly log: readonly string[]
  close(): Promise<void>
}

export interface TestAgentOptions {
  readonly server: string
  readonly host: string
  readonly saved?: SavedSet
  readonly keys?: HostKeys
  readonly origin?: Origin
  readonly speaks?: Speaks
  /** Milliseconds until a request counts as lost. */
  readonly requestMs?: number
  readonly onTarget?: (target: TargetSet) => void
  readonly answer?: (question: Question) => Promise<JsonObject>
}

/** The real northbound over a consumer that holds what it is offered and says so: one status for each intent. */
export function startAgent(t: Teardown, options: TestAgentOptions): TestAgent {
  const offers: TargetSet[] = []
  const log: string[] = []
  const northbound: Northbound = openNorthbound({
    host: options.host,
    server: options.server,
    version: 'test',
    origin: options.origin,
    saved: options.saved,
    keys: options.keys,
    ...(options.speaks === undefined ? {} : { speaks: options.speaks }),
    stateFile: { saveSet: () => Promise.resolve() },
    log: (level, message) => {
      if (level !== 'debug') log.push(`${level} ${message}`)
    },
    onTarget(target) {
      offers.push(target)
      options.onTarget?.(target)
      setImmediate(() => northbound.converged({ ...consumed(target), drift: [], facts: {}, allocations: {}, timings: {} }))
    },
    answer: options.answer ?? ((question) => Promise.resolve({ asked: question.what })),
    timing: { requestMs: options.requestMs ?? 1000, backoff: { first: 20, max: 300, factor: 2, jitter: 0.5 } },
  })
  t.teardown(() => northbound.close())
  return { host: options.host, northbound, offers, log, close: () => northbound.close() }
}

function consumed(target: TargetSet): {
  readonly revision: number
  readonly converged: boolean
  readonly statuses: Map<Key, ObjectStatus>
} {
  const statuses = new Map<Key, ObjectStatus>()
  for (const [scope, held] of target.scopes) {
    for (const key of held.intents.keys()) {
      const name = `port/default/${scope}-${key}` as Key
      statuses.set(name, { key: name, state: 'ACTIVE', attempts: 0, since: '2026-01-01T00:00:00.000Z' })
    }
  }
  return { revision: target.revision, converged: true, statuses }
}

/** Undefined when the set is whole and is what its digest says. */
export function setFault(target: TargetSet): string | undefined {
  for (const [scope, held] of target.scopes) if (setDigest(held.intents) !== held.version) return `${scope} is not what its version says`
  const digest = setDigest([...target.scopes].map(([scope, held]) => [scope, held.version]))
  return digest === target.digest ? undefined : 'the set is not what its digest says'
}

/** Waits for a condition; throws with `what` when it does not come true. The limit only catches a hang. */
export async function until(what: string, condition: () => boolean, limitMs = 60_000): Promise<void> {
  const began = performance.now()
  while (!condition()) {
    if (performance.now() - began > limitMs) throw new Error(`not in ${limitMs} ms: ${what}`)
    await sleep(5)
  }
}

/** True when the agent's last offered set is the hub's target for it. */
export function isSynced(hub: Hub, agent: TestAgent): boolean {
  const target = hub.targetOf(agent.host)
  const status = agent.northbound.status()
  return (
    target !== undefined &&
    status.revision === target.revision &&
    agent.offers.at(-1)?.digest === target.digest &&
    status.missing.length === 0
  )
}
