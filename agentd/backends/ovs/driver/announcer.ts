import { setTimeout as sleep } from 'node:timers/promises'
import { macBytes } from '../../../../src/lib/mac.ts'
import { type Announced, toProvider } from '../compile/announced.ts'
import type { PacketOut } from '../openflow/packets.ts'

export interface AnnouncerOptions {
  /** Sends a packet through the bridge. False: it could not. */
  readonly send: (packet: PacketOut) => Promise<boolean>
}

/** What is lost of the first is made up for by the others; each teaches a switch what it may know already. */
const ROUNDS_MS = [0, 150, 1000]
/** A host that gets a thousand ports at once does not flood its neighbours. */
const BURST = { frames: 64, pause_ms: 20 } as const

/**
 * Tells a provider network where a guest is, once it is plugged: until a switch hears its MAC from there, frames for it go where it was, and a guest that only listens says nothing. The frame is
 * a reverse ARP request (RFC 903) from the guest's MAC to everyone, as QEMU sends after a migration: it teaches switches, and no neighbour's cache takes anything from it.
 */
export class Announcer {
  readonly #options: AnnouncerOptions
  /** By port, as last settled. Undefined: nobody knows what was there before this process. */
  #known: ReadonlyMap<string, Announced> | undefined
  /** Flows that this process wrote before it had settled anything. */
  readonly #written: Set<string> = new Set()
  readonly #stop: AbortController = new AbortController()
  readonly #running: Set<Promise<void>> = new Set()

  constructor(options: AnnouncerOptions) {
    this.#options = options
  }

  /** Flows that are new to the switch. */
  wrote(keys: Iterable<string>): void {
    if (this.#known === undefined) for (const key of keys) this.#written.add(key)
  }

  /** Announces those that came or changed since the last call. `holds`: whether the switch has a flow. */
  settle(ports: readonly Announced[], holds: (flow: string) => boolean): void {
    const before = this.#known
    const held = ports.filter((p) => holds(p.flow))
    this.#known = new Map(held.map((p) => [p.port, p]))
    const news = held.filter((p) => (before === undefined ? this.#written.has(p.flow) : !isSame(before.get(p.port), p)))
    this.#written.clear()
    if (news.length === 0) return
    const run = this.#announce(news).finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  async #announce(ports: readonly Announced[]): Promise<void> {
    let at = 0
    for (const due of ROUNDS_MS) {
      await this.#pause(due - at)
      at = due
      await this.#round(ports)
    }
  }

  async #round(ports: readonly Announced[]): Promise<void> {
    for (const [n, port] of ports.entries()) {
      if (n > 0 && n % BURST.frames === 0) await this.#pause(BURST.pause_ms)
      if (this.#stop.signal.aborted) return
      // It may have gone, or moved, since.
      if (isSame(this.#known?.get(port.port), port))
        await this.#options.send({ packet: announcement(port.mac), actions: toProvider(port.network) })
    }
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {})
  }
}

function isSame(a: Announced | undefined, b: Announced): boolean {
  return a !== undefined && a.mac === b.mac && a.network === b.network && a.flow === b.flow
}

const SHORTEST_FRAME = 60

/** An Ethernet frame without VLAN tag. */
export function announcement(mac: string): Buffer {
  const own = macBytes(mac)
  const frame = Buffer.alloc(SHORTEST_FRAME)
  frame.fill(0xff, 0, 6)
  own.copy(frame, 6)
  frame.writeUInt16BE(0x8035, 12)
  // Ethernet, IPv4, request reverse; neither has an address.
  Buffer.from('0001080006040003', 'hex').copy(frame, 14)
  own.copy(frame, 22)
  own.copy(frame, 32)
  return frame
}
