import { randomUUID } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import type { JsonObject } from '../../model/brand.ts'
import type { Needs } from '../../model/scope.ts'
import type { Endpoints } from '../../wire/endpoints.ts'
import { type Ask, type Hello, type Question, type Report, WIRE_VERSION } from '../../wire/messages.ts'
import { HubError } from './error.ts'
import type { FromFront, FrontOptions, ToFront } from './front-protocol.ts'
import {
  admitWorld,
  EMPTY_LEDGER,
  type HostMove,
  type HostTarget,
  knownHosts,
  type Ledger,
  type LedgerWorld,
  moveTargets,
  needsOf,
  rememberHosts,
} from './ledger.ts'
import { packMessages } from './pack.ts'
import { type Frames, publications } from './publication.ts'
import { helloReply } from './pull.ts'
import { openRpc, type Rpc } from './rpc.ts'
import { endpointIssues, type Security } from './security.ts'

export interface HubOptions {
  readonly endpoints: Endpoints
  readonly installation: string
  readonly heartbeatMs: number
  readonly security: Security
}

/** What the hub tells the server. None may throw; a rejected `onReport` means: not kept, ask for everything again. */
export interface HubHandlers {
  onHello(hello: Hello, at: number): void
  onReport(report: Report, at: number): Promise<void>
  /** The hub cannot go on (its thread died): the process is to end and be started again. */
  onFault(error: HubError): void
  warn(message: string): void
}

export type Answer =
  | { readonly ok: true; readonly data: JsonObject }
  | { readonly ok: false; readonly code: 'timeout' | 'failed' | 'closed' | 'unknown-host'; readonly data: JsonObject }

/** The server's end of the wire: PUB, `rpc` and `reports`. Agents are told where to be by `publish` and `move`; everything else they fetch. */
export interface Hub {
  /** As bound: `*` is resolved. */
  readonly endpoints: Endpoints
  /** One life of this hub. */
  readonly epoch: string
  /** After a start: this is where everybody is to be. Nothing is published; agents find out by digest. `hosts`: those remembered from before. */
  restore(revision: number, world: LedgerWorld, hosts: Iterable<string>): void
  /** A new revision: everybody (or only `hosts`) is moved to it. Returns the hosts whose set changed, which are the ones that get a message. */
  publish(revision: number, world: LedgerWorld, hosts?: Iterable<string>): readonly string[]
  /** Moves hosts to a revision that is still kept, newer or older. */
  move(hosts: Iterable<string>, revision: number): readonly string[]
  targetOf(host: string): (HostTarget & { readonly needs: Needs }) | undefined
  /** Host → target, of every host known. */
  targets(): ReadonlyMap<string, HostTarget>
  ask(host: string, question: Question, timeoutMs: number): Promise<Answer>
  close(): Promise<void>
}

/** PUB messages handed to the front thread at once, in bytes: bounds the memory of a large revision. */
const BATCH_BYTES = 8 * 1024 * 1024

/** Binds all three endpoints or none. Throws `HubError` (insecure, endpoint, bind). */
export async function openHub(options: HubOptions, handlers: HubHandlers): Promise<Hub> {
  const [issue] = endpointIssues(options.endpoints, options.security)
  if (issue !== undefined) {
    throw new HubError(
      issue.code === 'E0602' ? 'insecure' : 'endpoint',
      `${issue.code}: ${issue.message}; ${issue.hint ?? issue.label ?? ''}`,
    )
  }
  const epoch = randomUUID()
  const front = await startFront(
    { pub: options.endpoints.pub, reports: options.endpoints.reports, epoch, heartbeatMs: options.heartbeatMs },
    (report, at) => onReport(report, at),
    handlers.onFault,
  )
  const asks = new Map<string, { readonly host: string; settle(answer: Answer): void }>()
  let ledger: Ledger | undefined
  let rpc: Rpc | undefined
  const endpoints = (): Endpoints => ({ pub: front.pub, reports: front.reports, rpc: rpc?.endpoint ?? options.endpoints.rpc })

  async function onReport(report: Report, at: number): Promise<void> {
    const { answer } = report
    if (answer !== undefined)
      asks.get(answer.id)?.settle(answer.ok ? { ok: true, data: answer.data } : { ok: false, code: 'failed', data: answer.data })
    const ok = await handlers.onReport(report, at).then(
      () => true,
      () => false,
    )
    front.tell({ type: 'settled', host: report.host, ok })
  }

  function moveTo(hosts: Iterable<string>, revision: number, tell: boolean): readonly string[] {
    const moved = moveTargets(ledger ?? EMPTY_LEDGER, hosts, revision)
    ledger = moved.ledger
    front.tell({ type: 'targets', revision: ledger.latest, targets: [...ledger.targets].filter(([, t]) => t.seq === moved.ledger.seq) })
    if (tell) publishAll(epoch, moved.moves, front.tell)
    return moved.moves.map((m) => m.host)
  }

  try {
    rpc = await openRpc(
      { endpoint: options.endpoints.rpc, epoch, heartbeatMs: options.heartbeatMs },
      {
        ledger: () => ledger,
        warn: handlers.warn,
        hello(request) {
          handlers.onHello(request, Date.now())
          const server = { installation: options.installation, epoch, endpoints: endpoints(), heartbeat_ms: options.heartbeatMs }
          return helloReply(ledger ?? EMPTY_LEDGER, request, server)
        },
      },
    )
  } catch (error) {
    await front.close()
    throw error
  }
  return {
    endpoints: endpoints(),
    epoch,
    restore(revision, world, hosts) {
      ledger = rememberHosts(admitWorld(ledger ?? EMPTY_LEDGER, revision, world), hosts)
      moveTo(knownHosts(ledger, revision), revision, false)
    },
    publish(revision, world, hosts) {
      ledger = admitWorld(ledger ?? EMPTY_LEDGER, revision, world)
      return moveTo(hosts ?? knownHosts(ledger, revision), revision, true)
    },
    move: (hosts, revision) => moveTo(hosts, revision, true),
    targetOf(host) {
      const target = ledger?.targets.get(host)
      const world = target === undefined ? undefined : ledger?.worlds.get(target.revision)
      return target === undefined || world === undefined ? undefined : { ...target, needs: needsOf(world, host) }
    },
    targets: () => ledger?.targets ?? new Map(),
    ask: (host, question, timeoutMs) => {
      if (ledger?.targets.has(host) !== true) return Promise.resolve({ ok: false, code: 'unknown-host', data: {} })
      const ask: Ask = { v: WIRE_VERSION, type: 'ask', id: randomUUID(), host, question }
      return new Promise<Answer>((resolve) => {
        const timer = setTimeout(() => settle({ ok: false, code: 'timeout', data: {} }), timeoutMs)
        const settle = (answer: Answer): void => {
          clearTimeout(timer)
          if (asks.delete(ask.id)) front.tell({ type: 'close-ask', host, id: ask.id })
          resolve(answer)
        }
        asks.set(ask.id, { host, settle })
        front.tell({ type: 'ask', ask })
      })
    },
    async close() {
      for (const ask of [...asks.values()]) ask.settle({ ok: false, code: 'closed', data: {} })
      await rpc?.close()
      await front.close()
    },
  }
}

/** Hands the messages over in batches; frames that several hosts share cross once per batch. */
function publishAll(epoch: string, moves: readonly HostMove[], tell: (message: ToFront) => void): void {
  let batch: Frames[] = []
  let bytes = 0
  const flush = (): void => {
    if (batch.length > 0) tell({ type: 'publish', packed: packMessages(batch) })
    batch = []
    bytes = 0
  }
  for (const frames of publications(epoch, moves)) {
    batch.push(frames)
    bytes += frames.reduce((sum, frame) => sum + frame.length, 0)
    if (bytes > BATCH_BYTES) flush()
  }
  flush()
}

interface Front {
  readonly pub: string
  readonly reports: string
  tell(message: ToFront): void
  close(): Promise<void>
}

async function startFront(
  endpoints: Omit<FrontOptions, 'closed'>,
  onReport: (report: Report, at: number) => Promise<void>,
  onFault: (error: HubError) => void,
): Promise<Front> {
  const options: FrontOptions = { ...endpoints, closed: new SharedArrayBuffer(4) }
  const worker = new Worker(new URL('./front.js', import.meta.url), { workerData: options })
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const bound = await new Promise<FromFront & { readonly type: 'bound' }>((resolve, reject) => {
    worker.once('error', (error) => reject(new HubError('worker', 'the reports thread did not start', { cause: error })))
    worker.once('message', (message: FromFront) => {
      if (message.type === 'bound') resolve(message)
      else reject(new HubError('bind', `cannot bind ${message.type === 'failed' ? `${message.endpoint}: ${message.message}` : ''}`))
    })
  })
  let closing = false
  // A thread that is torn down in the middle of a `receive` takes the whole process down with it (SIGABRT, zeromq.js 6.8): let it close its sockets first.
  const lastCall = (): void => {
    worker.postMessage({ type: 'close' } satisfies ToFront)
    Atomics.wait(new Int32Array(options.closed), 0, 0, 1000)
  }
  process.once('exit', lastCall)
  worker.on('message', (message: FromFront) => {
    if (message.type === 'report') void onReport(message.report, message.at)
  })
  worker.removeAllListeners('error')
  worker.on('error', (error) => onFault(new HubError('worker', 'the reports thread died', { cause: error })))
  worker.once('exit', () => {
    if (!closing) onFault(new HubError('worker', 'the reports thread ended'))
  })
  return {
    pub: bound.pub,
    reports: bound.reports,
    tell(message) {
      if (closing) return
      worker.postMessage(message)
    },
    async close() {
      if (closing) return
      worker.postMessage({ type: 'close' } satisfies ToFront)
      closing = true
      await ended
      process.off('exit', lastCall)
    },
  }
}
