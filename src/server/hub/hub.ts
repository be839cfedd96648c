import { randomBytes, randomUUID } from 'node:crypto'
import type { Needs } from '../../model/scope.ts'
import type { Endpoints } from '../../wire/endpoints.ts'
import type { Hello, HelloReply, Question, Refusal, Report } from '../../wire/messages.ts'
import { createSealer } from '../../wire/seal.ts'
import type { Settled } from './desk.ts'
import { HubError } from './error.ts'
import { type FrontThread, startFront } from './front-thread.ts'
import type { GateRefusal } from './gate.ts'
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
import { packMessages } from './pack.ts'
import { type Frames, publications, type Seals } from './publication.ts'
import { helloReply, refusal } from './pull.ts'
import { type Answer, createQuestions, type Questions } from './questions.ts'
import { createRefusals, type Refusals, type Refused } from './refusals.ts'
import { openRpc, type Rpc } from './rpc.ts'
import { endpointIssues, type Security } from './security.ts'

export type { Answer } from './questions.ts'

export interface HubOptions {
  readonly endpoints: Endpoints
  readonly installation: string
  readonly heartbeatMs: number
  readonly security: Security
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

/** PUB messages handed to the front thread at once, in characters: bounds the memory of a large revision. */
const BATCH = 8 * 1024 * 1024

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
  let hub: OpenHub | undefined
  const front = await startFront(
    { pub: endpoints.pub, reports: endpoints.reports, ...shared },
    {
      onReport: (report, at) => void hub?.take(report, at),
      onRefused(refused) {
        for (const r of refused) hub?.noteRefused(r)
      },
      onFault: handlers.onFault,
    },
  )
  try {
    const rpc = await openRpc(
      { endpoint: endpoints.rpc, ...shared },
      {
        ledger: () => hub?.ledger,
        warn: handlers.warn,
        hello: (request) => hub?.greet(request),
        refused: (refused: GateRefusal) => hub?.noteRefused({ ...refused, count: 1, last: new Date().toISOString() }),
      },
    )
    hub = new OpenHub(options, handlers, epoch, front, rpc)
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
  readonly #front: FrontThread
  readonly #rpc: Rpc
  readonly #questions: Questions
  readonly #seals: Seals | undefined
  readonly #refusals: Refusals = createRefusals()
  #keyring: Keyring = EMPTY_KEYRING
  #ledger: Ledger | undefined

  constructor(options: HubOptions, handlers: HubHandlers, epoch: string, front: FrontThread, rpc: Rpc) {
    this.#options = options
    this.#handlers = handlers
    this.#front = front
    this.#rpc = rpc
    this.#questions = createQuestions((message) => front.tell(message))
    this.#seals =
      options.security.mode === 'keys'
        ? { sealer: createSealer(randomBytes), keyOf: (host) => this.#keyring.hosts.get(host)?.seal }
        : undefined
    this.epoch = epoch
    this.endpoints = { pub: front.pub, rpc: rpc.endpoint, reports: front.reports }
  }

  /** Undefined until the server has read its state. */
  get ledger(): Ledger | undefined {
    return this.#ledger
  }

  setKeys(publicKeys: ReadonlyMap<string, string>): void {
    const { security } = this.#options
    if (security.mode !== 'keys') return
    const before = this.#keyring
    this.#keyring = nextKeyring(before, security.server, publicKeys)
    for (const host of changedHosts(before, this.#keyring)) this.#refusals.forget(host)
    this.#rpc.setKeys(this.#keyring)
    this.#front.tell({ type: 'keys', keyring: this.#keyring })
  }

  refused(): readonly Refused[] {
    return this.#refusals.list()
  }

  noteRefused(refused: Refused): void {
    if (this.#refusals.note(refused)) this.#handlers.onRefused(refused)
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

  greet(request: Hello): HelloReply | Refusal | undefined {
    if (this.#ledger === undefined) return undefined
    const against = this.#handlers.onHello(request, Date.now())
    if (against !== undefined) return refusal(request, 'not-ready', against)
    const { installation, heartbeatMs } = this.#options
    return helloReply(this.#ledger, request, { installation, epoch: this.epoch, endpoints: this.endpoints, heartbeat_ms: heartbeatMs })
  }

  async take(report: Report, at: number): Promise<void> {
    this.#questions.take(report)
    const { host, epoch } = report
    const outcome = await this.#handlers.onReport(report, at).then(
      (against): Settled['outcome'] => (against === undefined ? 'kept' : { against }),
      (): Settled['outcome'] => 'lost',
    )
    this.#front.tell({ type: 'settled', host, settled: { epoch, outcome } })
  }

  async close(): Promise<void> {
    this.#questions.close()
    await this.#rpc.close()
    await this.#front.close()
  }

  /** The front thread knows the new targets before any message about them leaves it. */
  #moveTo(hosts: Iterable<string>, revision: number): readonly HostMove[] {
    const { ledger, moves } = moveTargets(this.#ledger ?? EMPTY_LEDGER, hosts, revision)
    this.#ledger = ledger
    const targets = [...ledger.targets].filter(([, target]) => target.seq === ledger.seq)
    this.#front.tell({ type: 'targets', revision: ledger.latest, targets })
    return moves
  }

  /** Hands the messages over in batches; frames that several hosts share cross once per batch. */
  #send(moves: readonly HostMove[]): void {
    let batch: Frames[] = []
    let size = 0
    const flush = (): void => {
      if (batch.length > 0) this.#front.tell({ type: 'publish', packed: packMessages(batch) })
      batch = []
      size = 0
    }
    for (const frames of publications(this.epoch, moves, this.#seals)) {
      batch.push(frames)
      size += frames.reduce((sum, frame) => sum + frame.length, 0)
      if (size > BATCH) flush()
    }
    flush()
  }
}
