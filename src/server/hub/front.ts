import { parentPort, workerData } from 'node:worker_threads'
import { Publisher, Router } from 'zeromq'
import { createOutbox } from '../../lib/outbox.ts'
import { decodeRequest, encodeText, refusalReply } from '../../wire/codec.ts'
import { plainEndpoint } from '../../wire/endpoints.ts'
import { HEARTBEAT_TOPIC, hostTopic, WIRE_VERSION } from '../../wire/messages.ts'
import { socketOptions } from '../../wire/transport.ts'
import { createDesk, type Desk } from './desk.ts'
import { splitEnvelope } from './envelope.ts'
import type { FromFront, FrontOptions, ToFront } from './front-protocol.ts'
import { unpackMessages } from './pack.ts'

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
  const pub = new Publisher(socketOptions(options.heartbeatMs))
  // Never wait for one peer: an agent that is gone or does not read asks again.
  const reports = new Router({ ...socketOptions(options.heartbeatMs), mandatory: true, sendTimeout: 0 })
  for (const [socket, endpoint] of [[pub, options.pub] as const, [reports, options.reports] as const]) {
    try {
      await socket.bind(endpoint)
    } catch (error) {
      pub.close()
      reports.close()
      tell({ type: 'failed', endpoint, message: error instanceof Error ? error.message : String(error) })
      incoming.close()
      return
    }
  }
  const desk = createDesk(options.epoch)
  const published = createOutbox<string[]>((frames) => pub.send(frames), PUB_LIMIT)
  let revision = 0
  const beat = (): void => {
    if (published.length < 1000)
      void published.push([HEARTBEAT_TOPIC, encodeText({ v: WIRE_VERSION, type: 'heartbeat', epoch: options.epoch, revision })])
  }
  const timer = setInterval(beat, options.heartbeatMs)
  incoming.on('message', (message) => {
    switch (message.type) {
      case 'targets':
        revision = message.revision
        return desk.setTargets(message.targets)
      case 'publish':
        for (const frames of unpackMessages(message.packed)) void published.push(frames)
        return
      case 'ask':
        desk.openAsk(message.ask)
        return void published.push([hostTopic(message.ask.host), encodeText(message.ask)])
      case 'close-ask':
        return desk.closeAsk(message.host, message.id)
      case 'settled':
        return desk.settled(message.host, message.settled)
      case 'close':
        clearInterval(timer)
        pub.close()
        reports.close()
        Atomics.store(new Int32Array(options.closed), 0, 1)
        Atomics.notify(new Int32Array(options.closed), 0)
        return incoming.close()
    }
  })
  tell({
    type: 'bound',
    pub: plainEndpoint(pub.lastEndpoint ?? options.pub),
    reports: plainEndpoint(reports.lastEndpoint ?? options.reports),
  })
  await serveReports(reports, desk, tell)
}

async function serveReports(reports: Router, desk: Desk, tell: (message: FromFront) => void): Promise<void> {
  const replies = createOutbox<(Uint8Array | string)[]>((frames) => reports.send(frames), REPLY_LIMIT)
  for await (const frames of reports) {
    const split = splitEnvelope(frames)
    if (split === undefined) continue
    const decoded = decodeRequest(split.payload)
    if (!decoded.ok) {
      void replies.push([...split.envelope, encodeText(refusalReply(decoded.refusal))])
      continue
    }
    const { message } = decoded
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
