import { rm } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import type { JsonObject } from '../../model/brand.ts'

/**
 * The local control socket: how `apply`, `status` and `drift` reach a running server on the same machine. A unix socket beside the state file (mode 0600),
 * one JSON object per line each way. The client sends one request; the server answers with any number of `event` lines and one `result` or `error` line.
 */
export interface ControlServer {
  readonly path: string
  close(): Promise<void>
}

export type ControlHandler = (request: JsonObject, emit: (event: JsonObject) => void) => Promise<JsonObject>

/** The world's failures at this edge. `absent`: nobody listens. `refused`: the server answered with an error. `denied`: this user may not speak to it. */
export class ControlError extends Error {
  readonly code: 'absent' | 'refused' | 'denied' | 'broken'
  constructor(code: ControlError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ControlError'
    this.code = code
  }
}

const CODES: Readonly<Record<string, ControlError['code']>> = {
  ENOENT: 'absent',
  ECONNREFUSED: 'absent',
  EACCES: 'denied',
  EPERM: 'denied',
}
const MAX_LINE = 16 * 1024 * 1024

export async function listenControl(path: string, handle: ControlHandler): Promise<ControlServer> {
  await rm(path, { force: true })
  const open = new Set<Socket>()
  const server: Server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    onLines(socket, (line) => void answer(socket, line, handle))
  })
  const before = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
  } finally {
    process.umask(before)
  }
  return {
    path,
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await rm(path, { force: true })
    },
  }
}

async function answer(socket: Socket, line: string, handle: ControlHandler): Promise<void> {
  const send = (value: JsonObject): void => {
    if (!socket.destroyed) socket.write(`${JSON.stringify(value)}\n`)
  }
  try {
    send({ result: await handle(JSON.parse(line) as JsonObject, (event) => send({ event })) })
  } catch (error) {
    send({ error: error instanceof Error ? error.message : String(error) })
  }
  socket.end()
}

/** Sends one request and waits for its result; `signal` ends the waiting, not what the server does. Throws `ControlError`. */
export async function askControl(
  path: string,
  request: JsonObject,
  onEvent: (event: JsonObject) => void = () => {},
  signal?: AbortSignal,
): Promise<JsonObject> {
  return await new Promise<JsonObject>((resolve, reject) => {
    const socket = createConnection(path)
    signal?.addEventListener('abort', () => socket.destroy(), { once: true })
    socket.once('connect', () => socket.write(`${JSON.stringify(request)}\n`))
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      reject(new ControlError(CODES[cause.code ?? ''] ?? 'broken', `control socket ${path}: ${cause.message}`, { cause }))
    })
    socket.once('close', () => reject(new ControlError('broken', 'the server closed the connection before it answered')))
    onLines(socket, (line) => {
      const message = JSON.parse(line) as { event?: JsonObject; result?: JsonObject; error?: string }
      if (message.event !== undefined) onEvent(message.event)
      else if (message.error !== undefined) reject(new ControlError('refused', message.error))
      else resolve(message.result ?? {})
    })
  })
}

function onLines(socket: Socket, take: (line: string) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    rest += chunk
    if (rest.length > MAX_LINE) {
      socket.destroy()
      return
    }
    let cut = rest.indexOf('\n')
    while (cut >= 0) {
      take(rest.slice(0, cut))
      rest = rest.slice(cut + 1)
      cut = rest.indexOf('\n')
    }
  })
}
