import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Router } from 'zeromq'
import { createOutbox } from '../../lib/outbox.ts'
import { compileRequests } from '../../wire/codec.ts'
import { plainEndpoint } from '../../wire/endpoints.ts'
import type { Door } from '../../wire/signature.ts'
import { createClerk } from './clerk.ts'
import { type Doorway, openDoorway } from './door.ts'
import { splitEnvelope } from './envelope.ts'
import { type GateRefusal, NO_REQUEST } from './gate.ts'
import { createRefusals } from './refusals.ts'
import type { Answered, FromClerk, Letter, RpcDoorOptions, ToClerk } from './rpc-protocol.ts'
import { shareOf } from './share.ts'
import type { FromThread } from './thread.ts'
import { guardThread } from './thread-self.ts'

/*
 * The thread that owns `rpc`, and `reports` where these have no thread of their own. Started by `rpc-threads.ts`; does nothing when imported elsewhere. Everything is sent as text: see `front.ts`.
 */

const OUTBOX_LIMIT = 100_000

type Tell = (message: FromClerk | FromThread<{ readonly rpc: string; readonly reports: string | undefined }>) => void

if (parentPort !== null) {
  const main = parentPort
  void run(main, workerData as RpcDoorOptions, (message) => main.postMessage(message))
}

async function run(main: NonNullable<typeof parentPort>, options: RpcDoorOptions, tell: Tell): Promise<void> {
  const refusals = createRefusals()
  const refuse = (refused: GateRefusal): void => void refusals.note({ ...refused, count: 1, last: new Date().toISOString() })
  const sockets = new Map<Door, Router>()
  const doorway = await openDoorway(options.heartbeatMs, options.keys, refuse)
  const timer = setInterval(() => {
    const refused = refusals.drain()
    if (refused.length > 0) tell({ type: 'refused', refused })
  }, options.heartbeatMs)
  const office = openOffice(options, tell, sockets)
  function close(): void {
    clearInterval(timer)
    office.close()
    for (const socket of sockets.values()) socket.close()
    doorway.close()
    main.close()
  }
  guardThread({ closed: options.closed, tell, close })
  for (const door of ['rpc', 'reports'] as const) {
    const endpoint = options[door]
    const message = endpoint === undefined ? undefined : await bind(sockets, door, endpoint, doorway)
    if (message === undefined) continue
    tell({ type: 'failed', endpoint: endpoint ?? '', message })
    return close()
  }
  main.on('message', (message: ToClerk) => {
    if (message.type === 'keys') doorway.setKeys(message.keyring)
    office.hear(message)
    if (message.type === 'close') close()
  })
  if (options.ports.length === 0) compileRequests()
  const endpointOf = (door: Door): string | undefined => plainEndpoint(sockets.get(door)?.lastEndpoint ?? '') || undefined
  tell({ type: 'started', started: { rpc: endpointOf('rpc') ?? options.rpc, reports: endpointOf('reports') } })
  for (const [door, socket] of sockets) void read(door, socket, office, refuse)
}

/** Why it could not be bound. Never waits for one peer: an agent that is gone or does not read asks again. */
async function bind(sockets: Map<Door, Router>, door: Door, endpoint: string, doorway: Doorway): Promise<string | undefined> {
  const socket = new Router({ ...doorway.options(), mandatory: true, sendTimeout: 0 })
  sockets.set(door, socket)
  doorway.watch(socket)
  try {
    await socket.bind(endpoint)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function read(door: Door, socket: Router, office: Office, refuse: (refused: GateRefusal) => void): Promise<void> {
  for await (const frames of socket) {
    const split = splitEnvelope(frames)
    if (split === undefined) refuse(NO_REQUEST)
    else office.take({ door, ...split })
  }
}

/** Where letters are answered: by the clerk in this thread, or by those who have threads of their own. */
interface Office {
  take(letter: Letter): void
  hear(message: ToClerk): void
  close(): void
}

function openOffice(options: RpcDoorOptions, tell: Tell, sockets: ReadonlyMap<Door, Router>): Office {
  const outbox = createOutbox<Answered>(({ door, envelope, text }) => {
    const socket = sockets.get(door)
    return socket === undefined || socket.closed ? Promise.resolve() : socket.send([...envelope, text] as (Uint8Array | string)[])
  }, OUTBOX_LIMIT)
  const answer = (answered: Answered): void => void outbox.push(answered)
  const { ports } = options
  if (ports.length === 0) return createClerk(options, tell, answer)
  for (const port of ports) port.on('message', answer)
  return {
    take: (letter) => portOf(ports, letter)?.postMessage(letter),
    hear: () => undefined,
    close() {
      for (const port of ports) port.close()
    },
  }
}

function portOf(ports: readonly MessagePort[], letter: Letter): MessagePort | undefined {
  return ports[shareOf(letter, ports.length)]
}
