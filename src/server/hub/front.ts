import { randomBytes } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { Router } from 'zeromq'
import { createOutbox } from '../../lib/outbox.ts'
import { encodeText, refusalReply } from '../../wire/codec.ts'
import { plainEndpoint } from '../../wire/endpoints.ts'
import { type Ask, HEARTBEAT_TOPIC, hostTopic, WIRE_VERSION } from '../../wire/messages.ts'
import { createSealer } from '../../wire/seal.ts'
import { createDesk, type Desk } from './desk.ts'
import { type Doorway, openDoorway } from './door.ts'
import { splitEnvelope } from './envelope.ts'
import type { FromFront, FrontOptions, ToFront } from './front-protocol.ts'
import { createGate, type Gate, type GateRefusal, NO_REQUEST } from './gate.ts'
import { changedHosts, EMPTY_KEYRING, type Keyring } from './keyring.ts'
import { unpackMessages } from './pack.ts'
import { openPubSocket, type PubSocket } from './pub-socket.ts'
import { createRefusals } from './refusals.ts'

/*
 * The thread that owns PUB and `reports`. Heartbeats leave and reports are answered here whatever the main thread does: a storm of pulls or
 * a long plan delays neither. Started by `hub.ts` as a worker; does nothing when imported elsewhere.
 *
 * Everything is sent as text, never as a Buffer: zeromq.js (6.8) sends a Buffer of more than 128 bytes without a copy and gives it back through the thread that
 * sent it. ZeroMQ may do so after this thread has ended, and the process dies of a corrupted heap. Text is copied.
 */

/** PUB messages waiting to be handed to ZeroMQ; it takes them faster than they can be made, so this is a bound, not a queue to be filled. */
const PUB_LIMIT = 1_000_000
const REPLY_LIMIT = 100_000

if (parentPort !== null) {
  const port = parentPort
  const options = workerData as FrontOptions
  run(options, (message) => port.postMessage(message), port).catch((error: unknown) => {
    throw error
  })
}

interface Incoming {
  on(event: 'message', listener: (message: ToFront) => void): unknown
  close(): void
}

async function run(options: FrontOptions, tell: (message: FromFront) => void, incoming: Incoming): Promise<void> {
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
  let expelled = false
  let revision = 0
  const beat = (): void => {
    if (published.length < 1000)
      void published.push([HEARTBEAT_TOPIC, encodeText({ v: WIRE_VERSION, type: 'heartbeat', epoch: options.epoch, revision })])
    const refused = refusals.drain()
    if (refused.length > 0) tell({ type: 'refused', refused })
    // A beat later, so that what the revision published has left.
    if (expelled) pub.reopen()
    expelled = false
  }
  // Not before everything that was received or watched has ended: see `startFront`.
  process.once('exit', () => {
    Atomics.store(new Int32Array(options.closed), 0, 1)
    Atomics.notify(new Int32Array(options.closed), 0)
  })
  const timer = setInterval(beat, options.heartbeatMs)

  function setKeys(next: Keyring): void {
    expelled ||= changedHosts(keyring, next).some((host) => keyring.hosts.has(host))
    keyring = next
    doorway.setKeys(next)
    gate.setKeys(next)
  }

  function ask(message: Ask): void {
    desk.openAsk(message)
    const topic = hostTopic(message.host)
    const text = encodeText(message)
    const key = keyring.hosts.get(message.host)?.seal
    if (options.keys === undefined) void published.push([topic, text])
    else if (key !== undefined) void published.push([topic, sealer.header(key, topic, text, [])])
  }

  incoming.on('message', (message) => {
    switch (message.type) {
      case 'keys':
        return setKeys(message.keyring)
      case 'targets':
        revision = message.revision
        return desk.setTargets(message.targets)
      case 'publish':
        for (const frames of unpackMessages(message.packed)) void published.push(frames)
        return
      case 'ask':
        return ask(message.ask)
      case 'close-ask':
        return desk.closeAsk(message.host, message.id)
      case 'settled':
        return desk.settled(message.host, message.settled)
      case 'close':
        clearInterval(timer)
        pub.close()
        reports.close()
        doorway.close()
        return incoming.close()
    }
  })
  tell({ type: 'bound', pub: plainEndpoint(pub.endpoint), reports: plainEndpoint(reports.lastEndpoint ?? options.reports) })
  await serveReports(reports, { desk, gate, tell, refuse })
}

/** Both or none; else the endpoint that could not be bound, and why. */
async function bindBoth(
  options: FrontOptions,
  doorway: Doorway,
): Promise<{ readonly pub: PubSocket; readonly reports: Router } | { readonly endpoint: string; readonly message: string }> {
  // Never wait for one peer: an agent that is gone or does not read asks again.
  const reports = new Router({ ...doorway.options(), mandatory: true, sendTimeout: 0 })
  let endpoint = options.reports
  try {
    doorway.watch(reports)
    await reports.bind(endpoint)
    endpoint = options.pub
    return { pub: await openPubSocket(endpoint, doorway), reports }
  } catch (error) {
    reports.close()
    doorway.close()
    return { endpoint, message: error instanceof Error ? error.message : String(error) }
  }
}

interface ReportsDuty {
  readonly desk: Desk
  readonly gate: Gate
  readonly tell: (message: FromFront) => void
  readonly refuse: (refused: GateRefusal) => void
}

async function serveReports(reports: Router, { desk, gate, tell, refuse }: ReportsDuty): Promise<void> {
  const replies = createOutbox<(Uint8Array | string)[]>((frames) => reports.send(frames), REPLY_LIMIT)
  for await (const frames of reports) {
    const split = splitEnvelope(frames)
    if (split === undefined) {
      refuse(NO_REQUEST)
      continue
    }
    const admitted = gate.admit(split.body)
    if (!admitted.ok) {
      if (admitted.refused !== undefined) refuse(admitted.refused)
      void replies.push([...split.envelope, encodeText(admitted.reply)])
      continue
    }
    const { message } = admitted
    if (message.type !== 'report') {
      const refusal = refusalReply({
        code: 'malformed',
        message: `${message.type} belongs to the rpc endpoint`,
        id: message.id,
        host: message.host,
      })
      void replies.push([...split.envelope, encodeText(refusal)])
      continue
    }
    const { reply, forward } = desk.receive(message)
    void replies.push([...split.envelope, encodeText(reply)])
    if (forward !== undefined) tell({ type: 'report', report: forward, at: Date.now() })
  }
}
