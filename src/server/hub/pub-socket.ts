import { setTimeout as sleep } from 'node:timers/promises'
import { Publisher } from 'zeromq'
import type { Doorway } from './door.ts'

/** The socket that everything is published by. */
export interface PubSocket {
  /** As bound. */
  readonly endpoint: string
  /** One at a time. Waits while the socket is being opened again. */
  send(frames: string[]): Promise<void>
  /**
   * Ends every connection and listens again at the same address: ZeroMQ asks for keys when a peer connects and never again, so this is what takes the socket away from a host that was
   * expelled. The others are back within a fraction of a second, and the reply to their next report names what they missed. On `ipc` nothing is done: closing would remove the path that
   * was bound anew, and such peers are on this machine.
   */
  reopen(): void
  close(): void
}

const RETRY_MS = 50

/** Rejects with ZeroMQ's error when the address cannot be bound. */
export async function openPubSocket(address: string, doorway: Doorway): Promise<PubSocket> {
  let closed = false
  let socket = await open(address, doorway)
  const endpoint = socket.lastEndpoint ?? address
  let ready: Promise<void> = Promise.resolve()

  async function openAgain(): Promise<void> {
    socket.close()
    // The address is free when ZeroMQ's own thread has let go of it, a moment after `close`.
    while (!closed) {
      const next = await open(endpoint, doorway).catch(() => undefined)
      if (next === undefined) await sleep(RETRY_MS)
      else {
        socket = next
        if (closed) socket.close()
        return
      }
    }
  }

  return {
    endpoint,
    async send(frames) {
      await ready
      await socket.send(frames)
    },
    reopen() {
      if (!closed && !endpoint.startsWith('ipc://')) ready = ready.then(openAgain)
    },
    close() {
      closed = true
      socket.close()
    },
  }
}

async function open(address: string, doorway: Doorway): Promise<Publisher> {
  const socket = new Publisher(doorway.options())
  doorway.watch(socket)
  try {
    await socket.bind(address)
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}
