import { createSocket, type Socket } from 'node:dgram'
import { GUEST_DEVICE } from './protocol.ts'

/** Groups that this guest is a member of: the kernel says so to the network. What comes for them arrives at the sockets of the probe port. */
export class Memberships {
  readonly #sockets: Map<string, Socket> = new Map()

  async join(group: string, from: string): Promise<void> {
    if (this.#sockets.has(group)) return
    const socket = createSocket(group.includes(':') ? 'udp6' : 'udp4')
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(0, () => resolve())
    })
    socket.addMembership(group, group.includes(':') ? `::%${GUEST_DEVICE}` : from)
    this.#sockets.set(group, socket)
  }

  leave(group: string): void {
    this.#sockets.get(group)?.close()
    this.#sockets.delete(group)
  }
}
