import { randomUUID } from 'node:crypto'
import type { Needs } from '../../model/scope.ts'
import type { Endpoints } from '../../wire/endpoints.ts'
import type { Hello, HelloReply, Question, Refusal, Report } from '../../wire/messages.ts'
import type { Settled } from './desk.ts'
import { HubError } from './error.ts'
import type { FromFront, FrontBound, FrontOptions, ToFront } from './front-protocol.ts'
import { createGiver, type Giver } from './give.ts'
import { changedHosts, EMPTY_KEYRING, type Keyring, nextKeyring } from './keyring.ts'
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
import { packInBatches } from './pack.ts'
import { publications } from './publication.ts'
import { helloReply, refusal } from './pull.ts'
import { type Answer, createQuestions, type Questions } from './questions.ts'
import { createRefusals, type Refusals, type Refused } from './refusals.ts'
import type { FromClerk, ToClerk } from './rpc-protocol.ts'
import { type RpcThreads, startRpcThreads } from './rpc-threads.ts'
import { endpointIssues, type Security } from './security.ts'
import { startThread, type Thread } from './thread.ts'

export type { Answer } from './questions.ts'

export interface HubOptions {
  readonly endpoints: Endpoints
  readonly installation: string
  readonly heartbeatMs: number
  readonly security: Security
  readonly workers: Workers
}

/** Threads beside the main one, as the site file has them: how many answer hello and pulls; whether reports have one of their own, or are taken by those. */
export interface Workers {
  readonly rpc: number
  readonly reports: number
}

/** What the hub tells the server. None may throw; a rejected `onReport` means: not kept, ask for everything again. Resolved with what speaks against this agent: it is refused. */
export interface HubHandlers {
  /** Returns what speaks against telling this host its target now, if anything: it is refused as not ready, stays as it is, and says hello again. */
  onHello(hello: Hello, at: number): string | undefined
  onReport(report: Report, at: number): Promise<string | undefined>
  /** The hub cannot go on (its thread died): the process is to end and be started again. */
  onFault(error: HubError): void
  warn(message: string): void
  /** The first of its reason and host; those that follow are only counted. */
  onRefused(refused: Refused): void
}

/** The server's end of the wire: PUB, `rpc` and `reports`. Agents are told where to be by `publish` and `move`; everything else they fetch. */
export interface Hub {
  /** As bound: `*` is resolved. */
  readonly endpoints: Endpoints
  /** One life of this hub. */
  readonly epoch: string
  /** Host → public key of every host that is let in from now on; all others are refused. Without it nobody is answered when there are keys. */
  setKeys(publicKeys: ReadonlyMap<string, string>): void
  /** What was refused in this life, by reason and host. */
  refused(): readonly Refused[]
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

/** Binds all three endpoints or none. Throws `HubError` (insecure, endpoint, bind, worker). */
export async function openHub(options: HubOptions, handlers: HubHandlers): Promise<Hub> {
  const [issue] = endpointIssues(options.endpoints, options.security)
  if (issue !== undefined) {
    const code = issue.code === 'E0602' ? 'insecure' : 'endpoint'
    throw new HubError(code, `${issue.code}: ${issue.message}; ${issue.hint ?? issue.label ?? ''}`)
  }
  const { endpoints, heartbeatMs } = options
  const epoch = randomUUID()
  const keys = options.security.mode === 'keys' ? options.security.server : undefined
  const shared = { epoch, heartbeatMs, keys, floor: Date.now() * 1000 }
  const apart = options.workers.reports > 0
  let hub: OpenHub | undefined
  const data: Omit<FrontOptions, 'closed'> = { pub: endpoints.pub, reports: apart ? endpoints.reports : undefined, ...shared }
  const front = await startThread<ToFront, FromFront, FrontBound>({
    name: apart ? 'reports' : 'publishing',
    program: new URL('./front.js', import.meta.url),
    data,
    hasSockets: true,
    onMessage: (message) => hub?.hear(message),
    onFault: handlers.onFault,
  })
  try {
    const rpc = await startRpcThreads(
      { rpc: endpoints.rpc, reports: apart ? undefined : endpoints.reports, clerks: options.workers.rpc, ...shared },
      { onMessage: (message, answer) => hub?.hearClerk(message, answer), onFault: handlers.onFault },
    )
    hub = new OpenHub(options, handlers, epoch, { front, rpc })
    return hub
  } catch (error) {
    await front.close()
    throw error
  }
}

class OpenHub implements Hub {
  readonly endpoints: Endpoints
  readonly epoch: string
  readonly #options: HubOptions
  readonly #handlers: HubHandlers
  readonly #front: Thread<ToFront, FrontBound>
  readonly #rpc: RpcThreads
  readonly #giver: Giver
  readonly #questions: Questions
  readonly #refusals: Refusals = createRefusals()
  /** Host → wire version that was agreed on at its last hello. */
  readonly #versions: Map<string, number> = new Map()
  #keyring: Keyring = EMPTY_KEYRING
  #ledger: Ledger | undefined

  constructor(
    options: HubOptions,
    handlers: HubHandlers,
    epoch: string,
    { front, rpc }: { readonly front: Thread<ToFront, FrontBound>; readonly rpc: RpcThreads },
  ) {
    this.#options = options
    this.#handlers = handlers
    this.#front = front
    this.#rpc = rpc
    this.#giver = createGiver(() => this.#ledger, options.workers.rpc > 1)
    this.#questions = createQuestions((message) => this.#tellAll(message))
    this.epoch = epoch
    const reports = front.started.reports ?? rpc.bound.reports ?? options.endpoints.reports
    this.endpoints = { pub: front.started.pub, rpc: rpc.bound.rpc, reports }
  }

  setKeys(publicKeys: ReadonlyMap<string, string>): void {
    const { security } = this.#options
    if (security.mode !== 'keys') return
    const before = this.#keyring
    this.#keyring = nextKeyring(before, security.server, publicKeys)
    for (const host of changedHosts(before, this.#keyring)) this.#refusals.forget(host)
    const message = { type: 'keys', keyring: this.#keyring } as const
    this.#rpc.setKeys(message)
    this.#front.tell(message)
  }

  refused(): readonly Refused[] {
    return this.#refusals.list()
  }

  restore(revision: number, world: LedgerWorld, hosts: Iterable<string>): void {
    this.#ledger = rememberHosts(admitWorld(this.#ledger ?? EMPTY_LEDGER, revision, world), hosts)
    this.#moveTo(knownHosts(this.#ledger, revision), revision)
  }

  publish(revision: number, world: LedgerWorld, hosts?: Iterable<string>): readonly string[] {
    this.#ledger = admitWorld(this.#ledger ?? EMPTY_LEDGER, revision, world)
    return this.move(hosts ?? knownHosts(this.#ledger, revision), revision)
  }

  move(hosts: Iterable<string>, revision: number): readonly string[] {
    const moves = this.#moveTo(hosts, revision)
    this.#send(moves)
    return moves.map((m) => m.host)
  }

  targetOf(host: string): (HostTarget & { readonly needs: Needs }) | undefined {
    const target = this.#ledger?.targets.get(host)
    const world = target === undefined ? undefined : this.#ledger?.worlds.get(target.revision)
    return target === undefined || world === undefined ? undefined : { ...target, needs: needsOf(world, host) }
  }

  targets(): ReadonlyMap<string, HostTarget> {
    return this.#ledger?.targets ?? new Map()
  }

  ask(host: string, question: Question, timeoutMs: number): Promise<Answer> {
    if (!this.targets().has(host)) return Promise.resolve({ ok: false, code: 'unknown-host', data: {} })
    return this.#questions.ask(host, question, timeoutMs)
  }

  hear(message: FromFront): void {
    if (message.type === 'report') void this.#take(message.report, message.at)
    else this.#noteRefused(message.refused)
  }

  hearClerk(message: FromClerk, answer: (message: ToClerk) => void): void {
    if (message.type === 'hello') {
      this.#versions.set(message.request.host, message.version)
      answer({ type: 'greeted', id: message.id, reply: this.#greet(message.request) })
    } else if (message.type === 'want') this.#giver.take(message.want, (given) => answer({ type: 'given', given }))
    else if (message.type === 'warn') this.#handlers.warn(message.message)
    else this.hear(message)
  }

  async close(): Promise<void> {
    this.#questions.close()
    await this.#rpc.close()
    await this.#front.close()
  }

  /** Only asked by clerks that know targets, so there is a ledger. */
  #greet(request: Hello): HelloReply | Refusal {
    const against = this.#handlers.onHello(request, Date.now())
    if (against !== undefined) return refusal(request, 'not-ready', against)
    const { installation, heartbeatMs } = this.#options
    return helloReply(this.#ledger ?? EMPTY_LEDGER, request, {
      installation,
      epoch: this.epoch,
      endpoints: this.endpoints,
      heartbeat_ms: heartbeatMs,
    })
  }

  #noteRefused(refused: readonly Refused[]): void {
    for (const each of refused) if (this.#refusals.note(each)) this.#handlers.onRefused(each)
  }

  async #take(report: Report, at: number): Promise<void> {
    this.#questions.take(report)
    const { host, epoch } = report
    const outcome = await this.#handlers.onReport(report, at).then(
      (against): Settled['outcome'] => (against === undefined ? 'kept' : { against }),
      (): Settled['outcome'] => 'lost',
    )
    this.#tellAll({ type: 'settled', host, settled: { epoch, outcome } })
  }

  /** What the desks are to know, wherever they are. */
  #tellAll(message: ToFront & ToClerk): void {
    this.#rpc.tell(message)
    this.#front.tell(message)
  }

  /** All threads know the new targets before any message about them leaves. */
  #moveTo(hosts: Iterable<string>, revision: number): readonly HostMove[] {
    const { ledger, moves } = moveTargets(this.#ledger ?? EMPTY_LEDGER, hosts, revision)
    this.#ledger = ledger
    const targets = [...ledger.targets].filter(([, target]) => target.seq === ledger.seq)
    this.#tellAll({ type: 'targets', revision: ledger.latest, targets })
    return moves
  }

  #send(moves: readonly HostMove[]): void {
    for (const packed of packInBatches(publications(this.epoch, moves, (host) => this.#versions.get(host))))
      this.#front.tell({ type: 'publish', packed })
  }
}
