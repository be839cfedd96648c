import { randomBytes } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { Router } from 'zeromq'
import { createOutbox } from '../../lib/outbox.ts'
import { compileRequests, encodeText } from '../../wire/codec.ts'
import { plainEndpoint } from '../../wire/endpoints.ts'
import { type Ask, HEARTBEAT_TOPIC, hostTopic, OLDEST_WIRE_VERSION } from '../../wire/messages.ts'
import { createSealer } from '../../wire/seal.ts'
import { createDesk } from './desk.ts'
import { type Doorway, openDoorway } from './door.ts'
import { splitEnvelope } from './envelope.ts'
import type { FromFront, FrontBound, FrontOptions, ToFront } from './front-protocol.ts'
import { createGate, type GateRefusal, NO_REQUEST } from './gate.ts'
import { changedHosts, EMPTY_KEYRING, type Keyring } from './keyring.ts'
import { type Packed, unpackMessages, unpackSealed } from './pack.ts'
import { openPubSocket, type PubSocket } from './pub-socket.ts'
import { type Reception, receiveReport } from './reception.ts'
import { createRefusals } from './refusals.ts'
import type { FromThread } from './thread.ts'
import { guardThread } from './thread-self.ts'

/*
 * The thread that owns PUB and, unless the site gives them to the clerks of `rpc`, `reports`. Heartbeats leave and reports are answered here whatever the main thread does: a storm of pulls or
 * a long plan delays neither. Started by `hub.ts` as a worker; does nothing when imported elsewhere.
 *
 * Everything is sent as text, never as a Buffer: zeromq.js (6.8) sends a Buffer of more than 128 bytes without a copy and gives it back through the thread that
 * sent it. ZeroMQ may do so after this thread has ended, and the process dies of a corrupted heap. Text is copied.
 */

/** PUB messages waiting to be handed to ZeroMQ; it takes them faster than they can be made, so this is a bound, not a queue to be filled. */
const PUB_LIMIT = 1_000_000
const REPLY_LIMIT = 100_000

type Tell = (message: FromFront | FromThread<FrontBound>) => void

if (parentPort !== null) {
  const port = parentPort
  void run(workerData as FrontOptions, (message) => port.postMessage(message), port)
}

interface Incoming {
  on(event: 'message', listener: (message: ToFront) => void): unknown
  close(): void
}

async function run(options: FrontOptions, tell: Tell, incoming: Incoming): Promise<void> {
  const refusals = createRefusals()
  const refuse = (refused: GateRefusal): void => void refusals.note({ ...refused, count: 1, last: new Date().toISOString() })
  const doorway = await openDoorway(options.heartbeatMs, options.keys, refuse)
  const sockets = await bindBoth(options, doorway)
  if ('endpoint' in sockets) {
    tell({ type: 'failed', ...sockets })
    return incoming.close()
  }
  const { pub, reports } = sockets
  const gate = createGate('reports', options.keys !== undefined, options.floor)
  const desk = createDesk(options.epoch)
  const published = createOutbox<string[]>((frames) => pub.send(frames), PUB_LIMIT)
  const sealer = createSealer(randomBytes)
  let keyring: Keyring = EMPTY_KEYRING
  let sealKeys: ReadonlyMap<string, Uint8Array> = new Map()
  let expelled = false
  let revision = 0
  const beat = (): void => {
    // Everybody hears the same: in the oldest version that is served.
    if (published.length < 1000)
      void published.push([HEARTBEAT_TOPIC, encodeText({ v: OLDEST_WIRE_VERSION, type: 'heartbeat', epoch: options.epoch, revision })])
    const refused = refusals.drain()
    if (refused.length > 0) tell({ type: 'refused', refused })
    // A beat later, so that what the revision published has left.
    if (expelled) pub.reopen()
    expelled = false
  }
  const timer = setInterval(beat, options.heartbeatMs)
  function close(): void {
    clearInterval(timer)
    pub.close()
    reports?.close()
    doorway.close()
    incoming.close()
  }
  guardThread({ closed: options.closed, tell, close })

  function setKeys(next: Keyring): void {
    expelled ||= changedHosts(keyring, next).some((host) => keyring.hosts.has(host))
    keyring = next
    sealKeys = new Map([...next.hosts.values()].map((key) => [hostTopic(key.host), key.seal]))
    doorway.setKeys(next)
    gate.setKeys(next)
  }

  function publish(packed: Packed): void {
    const messages = options.keys === undefined ? unpackMessages(packed) : unpackSealed(packed, sealer, (topic) => sealKeys.get(topic))
    for (const frames of messages) void published.push(frames)
  }

  function ask(message: Ask): void {
    desk.openAsk(message)
    publish({ frames: [hostTopic(message.host), encodeText(message)], messages: [[0, 1]] })
  }

  incoming.on('message', (message) => {
    switch (message.type) {
      case 'keys':
        return setKeys(message.keyring)
      case 'targets':
        revision = message.revision
        return desk.setTargets(message.targets)
      case 'publish':
        return publish(message.packed)
      case 'ask':
        return ask(message.ask)
      case 'close-ask':
        return desk.closeAsk(message.host, message.id)
      case 'settled':
        return desk.settled(message.host, message.settled)
      case 'close':
        return close()
    }
  })
  if (reports !== undefined) compileRequests()
  const bound = reports === undefined ? undefined : plainEndpoint(reports.lastEndpoint ?? options.reports ?? '')
  tell({ type: 'started', started: { pub: plainEndpoint(pub.endpoint), reports: bound } })
  const forward: Reception['forward'] = (report, at) => tell({ type: 'report', report, at })
  if (reports !== undefined) await serveReports(reports, { desk, gate, forward, refuse })
}

/** Both or none; else the endpoint that could not be bound, and why. */
async function bindBoth(
  options: FrontOptions,
  doorway: Doorway,
): Promise<{ readonly pub: PubSocket; readonly reports: Router | undefined } | { readonly endpoint: string; readonly message: string }> {
  // Never wait for one peer: an agent that is gone or does not read asks again.
  const reports = options.reports === undefined ? undefined : new Router({ ...doorway.options(), mandatory: true, sendTimeout: 0 })
  let endpoint = options.reports ?? ''
  try {
    if (reports !== undefined) {
      doorway.watch(reports)
      await reports.bind(endpoint)
    }
    endpoint = options.pub
    return { pub: await openPubSocket(endpoint, doorway), reports }
  } catch (error) {
    reports?.close()
    doorway.close()
    return { endpoint, message: error instanceof Error ? error.message : String(error) }
  }
}

async function serveReports(reports: Router, reception: Reception): Promise<void> {
  const replies = createOutbox<(Uint8Array | string)[]>((frames) => reports.send(frames), REPLY_LIMIT)
  for await (const frames of reports) {
    const split = splitEnvelope(frames)
    if (split === undefined) reception.refuse(NO_REQUEST)
    else void replies.push([...split.envelope, receiveReport(reception, split.body)])
  }
}
