import { setImmediate as yieldToLoop } from 'node:timers/promises'
import { Router } from 'zeromq'
import { createOutbox } from '../../lib/outbox.ts'
import { encode } from '../../wire/codec.ts'
import { plainEndpoint } from '../../wire/endpoints.ts'
import type { KeyPair } from '../../wire/keys.ts'
import type { Hello, HelloReply, Pull, Refusal, Reply, Request } from '../../wire/messages.ts'
import { openDoorway } from './door.ts'
import { splitEnvelope } from './envelope.ts'
import { HubError } from './error.ts'
import { createGate, type GateRefusal, NO_REQUEST } from './gate.ts'
import type { Keyring } from './keyring.ts'
import type { Ledger } from './ledger.ts'
import { planPull, refusal } from './pull.ts'
import { createPieceCache, type Pause, serialisePull } from './serialise.ts'

/** Milliseconds of work on pulls before the loop gets its turn. */
const SLICE_MS = 4
const OUTBOX_LIMIT = 100_000

export interface RpcHandlers {
  /** Undefined as long as `ledger` is. */
  hello(request: Hello): HelloReply | Refusal | undefined
  /** Undefined while the server has not read its state. */
  ledger(): Ledger | undefined
  /** Hosts whose pulls were too large to be sent, and the like: for the log. */
  warn(message: string): void
  refused(refused: GateRefusal): void
}

export interface Rpc {
  readonly endpoint: string
  setKeys(keyring: Keyring): void
  close(): Promise<void>
}

interface Waiting {
  readonly envelope: readonly Uint8Array[]
  readonly request: Pull
}

export interface RpcOptions {
  readonly endpoint: string
  readonly epoch: string
  readonly heartbeatMs: number
  /** See `FrontOptions`. */
  readonly keys: KeyPair | undefined
  readonly floor: number
}

/** Hello is answered at once; pulls stand in line, one place per host, and are worked off in slices. */
export async function openRpc(options: RpcOptions, handlers: RpcHandlers): Promise<Rpc> {
  const doorway = await openDoorway(options.heartbeatMs, options.keys, handlers.refused)
  const gate = createGate('rpc', options.keys !== undefined, options.floor)
  const socket = new Router({ ...doorway.options(), mandatory: true, sendTimeout: 0 })
  doorway.watch(socket)
  try {
    await socket.bind(options.endpoint)
  } catch (error) {
    socket.close()
    doorway.close()
    throw new HubError('bind', `cannot bind ${options.endpoint}`, { cause: error })
  }
  const outbox = createOutbox<Uint8Array[]>((frames) => socket.send(frames), OUTBOX_LIMIT)
  // A host repeats a request when the answer is late: the newer one takes the older one's place, whose answer it would throw away.
  const line = new Map<string, Waiting>()
  const cache = createPieceCache()
  let working: Promise<void> | undefined

  function reply(envelope: readonly Uint8Array[], message: Reply): void {
    void outbox.push([...envelope, encode(message)])
  }

  async function work(): Promise<void> {
    const pause = createPause()
    for (let next = first(line); next !== undefined && !socket.closed; next = first(line)) {
      const [host, { envelope, request }] = next
      line.delete(host)
      const ledger = handlers.ledger()
      const plan = ledger === undefined ? notReady(request) : planPull(ledger, options.epoch, request)
      if ('type' in plan) reply(envelope, plan)
      else await answer(envelope, request, await serialisePull(plan, cache, pause))
      await pause()
    }
  }

  async function answer(envelope: readonly Uint8Array[], request: Pull, bytes: Buffer | undefined): Promise<void> {
    if (bytes !== undefined) return outbox.push([...envelope, bytes])
    const message = `a scope that host ${request.host} needs is larger than one message may be`
    handlers.warn(message)
    reply(envelope, refusal(request, 'malformed', message))
  }

  async function read(): Promise<void> {
    for await (const frames of socket) {
      const split = splitEnvelope(frames)
      if (split === undefined) {
        handlers.refused(NO_REQUEST)
        continue
      }
      const admitted = gate.admit(split.body)
      if (admitted.ok) take(split.envelope, admitted.message)
      else {
        if (admitted.refused !== undefined) handlers.refused(admitted.refused)
        reply(split.envelope, admitted.reply)
      }
    }
  }

  function take(envelope: readonly Uint8Array[], message: Request): void {
    if (message.type === 'hello') reply(envelope, handlers.hello(message) ?? notReady(message))
    else if (message.type === 'report') reply(envelope, refusal(message, 'malformed', 'report belongs to the reports endpoint'))
    else {
      line.set(message.host, { envelope, request: message })
      working ??= work().finally(() => {
        working = undefined
      })
    }
  }

  const reading = read()
  return {
    endpoint: plainEndpoint(socket.lastEndpoint ?? options.endpoint),
    setKeys(keyring) {
      doorway.setKeys(keyring)
      gate.setKeys(keyring)
    },
    async close() {
      socket.close()
      doorway.close()
      line.clear()
      await reading.catch(() => undefined)
      await working
    },
  }
}

function notReady(request: { readonly id: string }): Refusal {
  return refusal(request, 'not-ready', 'the server has not read its state yet')
}

function first<K, V>(map: ReadonlyMap<K, V>): [K, V] | undefined {
  for (const entry of map) return entry
  return undefined
}

function createPause(): Pause {
  let began = performance.now()
  return async () => {
    if (performance.now() - began < SLICE_MS) return
    await yieldToLoop()
    began = performance.now()
  }
}
