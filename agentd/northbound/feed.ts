import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Backoff, backoffDelay } from '../../src/lib/backoff.ts'
import type { Scope } from '../../src/model/scope.ts'
import type { Received } from '../../src/wire/codec.ts'
import { reachableEndpoint } from '../../src/wire/endpoints.ts'
import type { Ask, Hello, Origin, Pull, ReportReply, Speaks } from '../../src/wire/messages.ts'
import type { Log } from '../log.ts'
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
import { holdsOf } from './holds.ts'
import type { Identity } from './identity.ts'
import { expectReply, openRequester, type Requester } from './requester.ts'
import type { SavedSet } from './statefile.ts'
import { type Subscription, subscribe } from './subscription.ts'

export interface FeedOptions {
  readonly host: string
  /** The server's rpc endpoint; `hello` names the others. */
  readonly server: string
  readonly version: string
  /** With keys. */
  readonly identity?: Identity | undefined
  readonly origin?: Origin | undefined
  readonly speaks: Speaks
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
    /** The wire version agreed on. */
    readonly wire: number
  }) => void
}

export interface FeedStatus {
  /** `offline`: the server has not told this host its target since `since`. `waiting`: scopes are missing. */
  readonly state: 'offline' | 'waiting' | 'synced'
  readonly since: number
  /** When offline: why, or what the server answered instead. */
  readonly cause?: string
  readonly revision: number
  readonly digest: string
  readonly missing: readonly Scope[]
}

export interface Feed {
  status(): FeedStatus
  /** Every reply to a report goes through here: it is how a host learns of its target when PUB is dead. */
  onReportReply(reply: ReportReply): void
  /** The server does not take this host's reports: hello says why. */
  onReportRefused(): void
  close(): Promise<void>
}

/** Heartbeats that may fail to come before the target is asked for. */
const SILENT_HEARTBEATS = 3
/** A server that is not ready will be in a moment: waits between attempts grow no further than to that of this one. */
const NOT_READY_ATTEMPT = 5
/** Share of the time a server asked for that is waited beyond it, at most. */
const RETRY_JITTER = 0.5

/** Keeps this host's set equal to the server's wish. Runs until closed; a server that is away is tried for ever. */
export function openFeed(options: FeedOptions): Feed {
  return new RunningFeed(options)
}

class RunningFeed implements Feed {
  readonly #options: FeedOptions
  readonly #rpc: Requester
  readonly #stop: AbortController = new AbortController()
  readonly #running: Promise<void>
  #state: FeedState = NEW_FEED
  #status: FeedStatus
  #subscription: Subscription | undefined
  #silence: NodeJS.Timeout | undefined
  #heardAt = 0
  /** Requests that failed in a row; answers in a row that brought nothing forward. */
  #failures = 0
  #futile = 0
  /** The server has answered at least once. */
  #answered = false
  /** Agreed on at the last hello. */
  #wire: number
  /** The server was started again, and everybody noticed at the same moment: what to wait a random part of. */
  #spreadMs = 0
  #isNewLife = false
  /** The last complete set. */
  #offered: TargetSet | undefined
  /** Ends the wait for something to do, and the wait before another attempt. */
  #wake: () => void = () => undefined
  #rouse: () => void = () => undefined

  constructor(options: FeedOptions) {
    this.#options = options
    this.#status = { state: 'offline', since: options.now(), revision: 0, digest: '', missing: [] }
    const { identity, speaks } = options
    this.#wire = speaks.min
    this.#rpc = openRequester(options.server, options.requestMs, identity && { identity, door: 'rpc' }, speaks)
    if (options.saved !== undefined) {
      const { state, offer } = feedFromDisk(options.saved)
      this.#state = state
      this.#offer(offer)
    }
    this.#running = this.#run()
  }

  status(): FeedStatus {
    return this.#status
  }

  onReportReply(reply: ReportReply): void {
    this.#dispatch({ type: 'reported', reply })
  }

  onReportRefused(): void {
    this.#dispatch({ type: 'refused' })
  }

  async close(): Promise<void> {
    this.#stop.abort()
    clearInterval(this.#silence)
    this.#subscription?.close()
    this.#rpc.close()
    this.#wake()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const want = nextRequest(this.#state)
      if (want === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        continue
      }
      const before = this.#state
      try {
        if (want.type === 'hello') await this.#hello()
        else await this.#pull(want.scopes)
        this.#failures = 0
        this.#refreshStatus()
      } catch (error) {
        await this.#failed(error)
        continue
      }
      // An answer that brought nothing forward must not be asked for again at full speed.
      this.#futile = want.type === 'hello' || isForward(before, this.#state) ? 0 : this.#futile + 1
      if (this.#futile > 0) await this.#pause(this.#futile)
    }
  }

  async #hello(): Promise<void> {
    const { server } = this.#options
    if (this.#isNewLife) await this.#wait(this.#spreadMs * this.#options.random())
    this.#isNewLife = false
    const request = this.#greeting()
    const reply = expectReply(await this.#rpc.request(request), 'hello')
    this.#answered = true
    this.#wire = reply.v
    this.#spreadMs = reply.spread_ms ?? 0
    this.#listen(reachableEndpoint(reply.endpoints.pub, server), reply.heartbeat_ms)
    this.#dispatch({ type: 'subscribed' })
    this.#options.onServer({
      reports: reachableEndpoint(reply.endpoints.reports, server),
      heartbeatMs: reply.heartbeat_ms,
      installation: reply.installation,
      epoch: reply.epoch,
      wire: reply.v,
    })
    this.#dispatch({ type: 'hello', reply })
  }

  /** In the oldest version, which every server that can be spoken to reads; it says which others there are. */
  #greeting(): Hello {
    const { host, epoch, version, origin, speaks } = this.#options
    const holds = this.#offered === undefined ? {} : { holds: holdsOf(host, this.#offered) }
    const from = origin === undefined ? {} : { origin }
    const others = speaks.max > speaks.min ? { speaks } : {}
    return { v: speaks.min, id: randomUUID(), host, type: 'hello', epoch, version, ...from, ...others, ...holds }
  }

  async #pull(scopes: NonNullable<Pull['scopes']>): Promise<void> {
    const request = { v: this.#wire, id: randomUUID(), host: this.#options.host, type: 'pull', scopes } as const
    this.#dispatch({ type: 'pulled', reply: expectReply(await this.#rpc.request(request, this.#failures), 'pull') })
  }

  #listen(endpoint: string, heartbeatMs: number): void {
    const { host, identity, speaks, log, now } = this.#options
    this.#heardAt = now()
    if (this.#subscription?.endpoint !== endpoint) {
      this.#subscription?.close()
      const onBad = (reason: string): void => log('warn', `message dropped: ${reason}`)
      this.#subscription = subscribe(endpoint, { host, heartbeatMs, identity, speaks, onMessage: (message) => this.#heard(message), onBad })
    }
    clearInterval(this.#silence)
    this.#silence = setInterval(() => {
      if (now() - this.#heardAt <= SILENT_HEARTBEATS * heartbeatMs) return
      this.#heardAt = now()
      this.#dispatch({ type: 'silence' })
    }, heartbeatMs)
  }

  #heard(message: Received): void {
    this.#heardAt = this.#options.now()
    if (message.type === 'ask') this.#options.onAsk(message.header)
    this.#dispatch({ type: 'received', message })
    // Whatever the last attempt met, the server is alive now.
    this.#rouse()
  }

  #dispatch(event: FeedEvent): void {
    if (this.#stop.signal.aborted) return
    const { state, offer } = stepFeed(this.#state, event)
    if (event.type !== 'refused' && this.#state.epoch !== undefined && state.epoch === undefined) this.#isNewLife = true
    this.#state = state
    this.#offer(offer)
    this.#refreshStatus()
    this.#wake()
  }

  #offer(target: TargetSet | undefined): void {
    if (target === undefined) return
    this.#offered = target
    this.#options.onTarget(target)
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#stop.signal.aborted) return
    this.#failures++
    const known = error instanceof NorthboundError
    if (known && (error.code === 'refused' || error.code === 'not-ready')) this.#state = stepFeed(this.#state, { type: 'refused' }).state
    this.#refreshStatus(known ? offlineCause(error) : String(error))
    if (!known)
      this.#options.log('error', 'northbound failed', { error: String(error), stack: error instanceof Error ? error.stack : undefined })
    // The server named a time, and all who wait for it are not to come at the same moment.
    if (known && error.retryAfterMs !== undefined) await this.#wait(error.retryAfterMs * (1 + RETRY_JITTER * this.#options.random()))
    else await this.#pause(known ? this.#attempt(error) : this.#failures)
  }

  /** Which attempt's pause comes next. */
  #attempt({ code }: NorthboundError): number {
    // Such an attempt has waited for a connection all its time and has cost nobody anything: a server that comes is met in a moment.
    if (code === 'unreachable') return 1
    return code === 'not-ready' ? Math.min(this.#failures, NOT_READY_ATTEMPT) : this.#failures
  }

  async #pause(attempt: number): Promise<void> {
    const roused = new AbortController()
    this.#rouse = () => roused.abort()
    const signal = AbortSignal.any([this.#stop.signal, roused.signal])
    const delay = backoffDelay(this.#options.backoff, attempt, this.#options.random())
    await sleep(delay, undefined, { signal }).catch(() => undefined)
  }

  /** A wait that no message cuts short. */
  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  /** Logs when, and only when, the state or the reason for being offline changed. */
  #refreshStatus(cause?: string): void {
    const before = this.#status
    const missing = missingScopes(this.#state)
    const offline = this.#failures > 0 || !this.#answered || this.#state.target === undefined
    const state = offline ? 'offline' : missing.length > 0 ? 'waiting' : 'synced'
    const why = cause ?? (offline ? before.cause : undefined)
    this.#status = {
      state,
      since: state === before.state ? before.since : this.#options.now(),
      ...(why === undefined ? {} : { cause: why }),
      revision: this.#state.target?.revision ?? 0,
      digest: this.#state.target?.digest ?? '',
      missing,
    }
    if (state !== before.state || (offline && why !== before.cause)) this.#announce()
  }

  #announce(): void {
    const { log, server } = this.#options
    const { state, revision, missing, cause } = this.#status
    const commit = this.#state.target?.commit
    const at = { server, revision, ...(commit === undefined ? {} : { commit }) }
    if (state === 'offline') log('warn', `${cause ?? 'server away: no answer yet'}; this host stays as it is`, at)
    else if (state === 'synced') log('info', `at revision ${revision}`, at)
    else log('debug', `${missing.length} scopes are missing for revision ${revision}`, { ...at, missing: missing.slice(0, 20) })
  }
}

/** A server that answers something else than what was asked for is not away. */
function offlineCause({ code, message }: NorthboundError): string {
  if (code === 'refused' || code === 'not-ready') return `the server answered: ${message}`
  return code === 'malformed' ? message : `server away: ${message}`
}

/** True when nothing is left to ask, fewer scopes are missing, or the target is another one. */
function isForward(before: FeedState, after: FeedState): boolean {
  return (
    nextRequest(after) === undefined ||
    missingScopes(after).length < missingScopes(before).length ||
    after.target?.seq !== before.target?.seq
  )
}
