import { rm } from 'node:fs/promises'
import { createConnection, createServer, type Socket } from 'node:net'

/*
 * How the agent finds the responder: a socket in the run directory of the switch. Who listens there is the responder of this switch, and says at once what it is; when it ends, however that
 * happens, whoever is connected knows.
 */

/** Raised whenever an agent has to start the responder anew to have it understand its flows. */
export const VERSION = 1

export interface Greeting {
  readonly pid: number
  readonly version: number
}

const GREET_MS = 2000
/** Said after the greeting, sooner or later. */
const HEARS = '\nhears the switch\n'

export function socketPath(rundir: string): string {
  return `${rundir}/netloom-responder.ctl`
}

/** The agent's end. */
export interface ControlConnection {
  readonly greeting: Greeting
  /** Resolves when the responder hears the switch for the first time. */
  readonly hears: Promise<void>
  /** Resolves when the responder is gone. */
  readonly ended: Promise<void>
  stop(): void
  close(): void
}

/** Undefined: nobody listens, or who listens says nothing for two seconds. */
export async function connectControl(path: string): Promise<ControlConnection | undefined> {
  const socket = createConnection(path)
  socket.on('error', () => {})
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.setTimeout(GREET_MS, () => socket.destroy())
  // A small write arrives as one piece.
  const said = await new Promise<Buffer | undefined>((resolve) => {
    socket.once('data', resolve)
    void ended.then(() => resolve(undefined))
  })
  if (said === undefined) return undefined
  const greeting = JSON.parse(said.toString().replace(HEARS, '')) as Greeting
  socket.setTimeout(0)
  const hears = new Promise<void>((resolve) => {
    if (said.includes(HEARS)) resolve()
    else socket.once('data', () => resolve())
  })
  return { greeting, hears, ended, stop: () => socket.write('stop'), close: () => socket.destroy() }
}

/** The responder's end. */
export interface ControlServer {
  /** The switch is heard. */
  hears(): void
  close(): void
}

/** Takes the place of who is not there any more. Undefined: somebody is there. */
export async function listenControl(path: string, onStop: () => void): Promise<ControlServer | undefined> {
  const there = await connectControl(path)
  there?.close()
  if (there !== undefined) return undefined
  await rm(path, { force: true })
  const sockets = new Set<Socket>()
  let heard = ''
  const greeting: Greeting = { pid: process.pid, version: VERSION }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', onStop)
    socket.write(JSON.stringify(greeting) + heard)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return {
    hears: () => {
      if (heard === HEARS) return
      heard = HEARS
      for (const socket of sockets) socket.write(HEARS)
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
