import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Backoff, backoffDelay } from '../../src/lib/backoff.ts'
import type { Scope } from '../../src/model/scope.ts'
import type { Received } from '../../src/wire/codec.ts'
import { type Endpoints, reachableEndpoint } from '../../src/wire/endpoints.ts'
import { type Ask, type HelloReply, type Reply, type ReportReply, WIRE_VERSION } from '../../src/wire/messages.ts'
import { NorthboundError } from './error.ts'
import {
  type FeedEvent,
  type FeedState,
  feedFromDisk,
  missingScopes,
  NEW_FEED,
  nextRequest,
  stepFeed,
  type TargetSet,
} from './feed-core.ts'
import { openRequester, type Requester } from './requester.ts'
import type { SavedSet } from './statefile.ts'
import { type Subscription, subscribe } from './subscription.ts'

export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void

export interface FeedOptions {
  readonly host: string
  /** The server's rpc endpoint; `hello` names the others. */
  readonly server: string
  readonly version: string
  /** This life of the agent. */
  readonly epoch: string
  /** What the disk holds, to start from. */
  readonly saved?: SavedSet | undefined
  /** Milliseconds until a request counts as lost. */
  readonly requestMs: number
  readonly backoff: Backoff
  readonly random: () => number
  readonly now: () => number
  readonly log: Log
  /** A complete set at exactly one target; never a part of one. */
  readonly onTarget: (target: TargetSet) => void
  /** The server asks this host; the same question may come twice. */
  readonly onAsk: (ask: Ask) => void
  /** A server (or another life of it) answered: where reports go, how often. */
  readonly onServer: (server: {
    readonly reports: string
    readonly heartbeatMs: number
    readonly installation: string
    readonly epoch: string
  }) => void
}

export interface FeedStatus {
  /** `offline`: the server has not answered since `since`. `waiting`: scopes are missing. */
  readonly state: 'offline' | 'waiting' | 'synced'
  readonly since: number
  /** Why, in words, when offline. */
  readonly cause?: string
  readonly revision: number
  readonly digest: string
  readonly missing: readonly Scope[]
}

export interface Feed {
  status(): FeedStatus
  /** Every reply to a report goes through here: it is how a host learns of its target when PUB is dead. */
  onReportReply(reply: ReportReply): void
  close(): Promise<void>
}

/** Keeps this host's set equal to the server's wish. Runs until closed; a server that is away is tried for ever. */
export function openFeed(options: FeedOptions): Feed {
  const { log } = options
  let state: FeedState = NEW_FEED
  let rpc: Requester | undefined = openRequester(options.server, options.requestMs)
  let subscription: Subscription | undefined
  let heartbeatMs = 0
  let heardAt = options.now()
  let failures = 0
  let idlePulls = 0
  let closed = false
  let answered = false
  let rouse: () => void = () => undefined
  let wake: () => void = () => undefined
  let silence: NodeJS.Timeout | undefined
  let status: FeedStatus = { state: 'offline', since: options.now(), revision: 0, digest: '', missing: [] }
  const stop = new AbortController()

  function dispatch(event: FeedEvent): void {
    if (closed) return
    const step = stepFeed(state, event)
    state = step.state
    if (step.offer !== undefined) options.onTarget(step.offer)
    refreshStatus()
    wake()
  }

  function refreshStatus(cause?: string): void {
    const missing = missingScopes(state)
    const offline = failures > 0 || !answered || state.target === undefined
    const next = offline ? 'offline' : missing.length > 0 ? 'waiting' : 'synced'
    const changed = next !== status.state
    const why = cause ?? (offline ? status.cause : undefined)
    const since = changed ? options.now() : status.since
    const before = status
    status = {
      state: next,
      since,
      ...(why === undefined ? {} : { cause: why }),
      revision: state.target?.revision ?? 0,
      digest: state.target?.digest ?? '',
      missing,
    }
    if (changed || (offline && before.cause !== status.cause)) announce()
  }

  function announce(): void {
    const at = { server: options.server, revision: status.revision }
    if (status.state === 'offline') log('warn', `server away: ${status.cause ?? 'no answer yet'}; this host stays as it is`, at)
    else if (status.state === 'synced') log('info', `at revision ${status.revision}`, at)
    else
      log('debug', `${status.missing.length} scopes are missing for revision ${status.revision}`, {
        ...at,
        missing: status.missing.slice(0, 20),
      })
  }

  async function run(): Promise<void> {
    while (!closed) {
      const want = nextRequest(state)
      if (want === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      const missingBefore = missingScopes(state).length
      const seqBefore = state.target?.seq
      try {
        if (want.type === 'hello') await hello()
        else await pull(want.scopes)
        if (failures > 0) failures = 0
        refreshStatus()
      } catch (error) {
        await failed(error)
        continue
      }
      // An answer that brought nothing forward must not be asked for again at full speed.
      const progress = nextRequest(state) === undefined || missingScopes(state).length < missingBefore || state.target?.seq !== seqBefore
      idlePulls = want.type === 'hello' || progress ? 0 : idlePulls + 1
      if (idlePulls > 0) await pause(idlePulls)
    }
  }

  async function hello(): Promise<void> {
    const request = {
      v: WIRE_VERSION,
      id: randomUUID(),
      host: options.host,
      type: 'hello',
      epoch: options.epoch,
      version: options.version,
    } as const
    const reply = expectReply(await requester().request(request), 'hello')
    meet(reply)
    dispatch({ type: 'hello', reply })
  }

  function meet(reply: HelloReply): void {
    const endpoints: Endpoints = {
      pub: reachableEndpoint(reply.endpoints.pub, options.server),
      rpc: options.server,
      reports: reachableEndpoint(reply.endpoints.reports, options.server),
    }
    answered = true
    heartbeatMs = reply.heartbeat_ms
    heardAt = options.now()
    if (subscription?.endpoint !== endpoints.pub) {
      subscription?.close()
      subscription = subscribe(endpoints.pub, options.host, heartbeatMs, heard, (reason) => log('warn', `message dropped: ${reason}`))
    }
    dispatch({ type: 'subscribed' })
    options.onServer({ reports: endpoints.reports, heartbeatMs, installation: reply.installation, epoch: reply.epoch })
    clearInterval(silence)
    silence = setInterval(() => {
      if (options.now() - heardAt <= 3 * heartbeatMs) return
      heardAt = options.now()
      dispatch({ type: 'silence' })
    }, heartbeatMs)
  }

  function heard(message: Received): void {
    heardAt = options.now()
    if (message.type === 'ask') options.onAsk(message.header)
    dispatch({ type: 'received', message })
    // Whatever the last attempt met, the server is alive now.
    rouse()
  }

  async function pull(scopes: readonly { readonly scope: Scope }[]): Promise<void> {
    const request = { v: WIRE_VERSION, id: randomUUID(), host: options.host, type: 'pull', scopes } as const
    dispatch({ type: 'pulled', reply: expectReply(await requester().request(request, failures), 'pull') })
  }

  async function failed(error: unknown): Promise<void> {
    if (closed) return
    failures++
    const known = error instanceof NorthboundError
    if (known && error.code === 'refused') state = stepFeed(state, { type: 'refused' }).state
    refreshStatus(known ? error.message : String(error))
    if (!known) log('error', 'northbound failed', { error: String(error), stack: error instanceof Error ? error.stack : undefined })
    await pause(failures)
  }

  async function pause(attempt: number): Promise<void> {
    const roused = new AbortController()
    rouse = () => roused.abort()
    const signal = AbortSignal.any([stop.signal, roused.signal])
    await sleep(backoffDelay(options.backoff, attempt, options.random()), undefined, { signal }).catch(() => undefined)
  }

  function requester(): Requester {
    if (rpc === undefined) throw new NorthboundError('closed', 'the feed is closed')
    return rpc
  }

  if (options.saved !== undefined) {
    const step = feedFromDisk(options.saved)
    state = step.state
    if (step.offer !== undefined) options.onTarget(step.offer)
  }
  const running = run()
  return {
    status: () => status,
    onReportReply: (reply) => dispatch({ type: 'reported', reply }),
    async close() {
      closed = true
      stop.abort()
      clearInterval(silence)
      subscription?.close()
      rpc?.close()
      rpc = undefined
      wake()
      await running
    },
  }
}

function expectReply<T extends 'hello' | 'pull'>(reply: Reply, type: T): Extract<Reply, { readonly type: T }> {
  if (reply.type === 'refused') throw new NorthboundError('refused', reply.message)
  if (reply.type !== type) throw new NorthboundError('malformed', `the server answered ${type} with ${reply.type}`)
  return reply as Extract<Reply, { readonly type: T }>
}
