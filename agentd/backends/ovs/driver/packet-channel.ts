import { setTimeout as sleep } from 'node:timers/promises'
import type { DriverOptions } from '../../backend.ts'
import { allOurs } from '../compile/cookie.ts'
import { OUR_CONTROLLER, TRAP, type Trap } from '../compile/traps.ts'
import type { Flow } from '../flow/types.ts'
import { OpenFlowClient } from '../openflow/client.ts'
import { OpenFlowError } from '../openflow/error.ts'
import type { FlowMod } from '../openflow/flow-mod.ts'
import type { MeterStats } from '../openflow/meters.ts'
import type { PacketIn, PacketOut } from '../openflow/packets.ts'

/** What a flow sent here, without the byte that says why. */
export interface Trapped extends PacketIn {
  readonly data: Buffer
}

export interface PacketChannelOptions {
  /** The bridge's management socket. */
  readonly path: string
  readonly log: DriverOptions['log']
  /** Under which packets are heard; the agent's own if left out. */
  readonly controller?: number
  /** Called for one packet after the other, in the order of their coming. Must not throw. */
  readonly onPacket: Readonly<Partial<Record<Trap, (packet: Trapped) => void>>>
  /** A connection stands anew: packets of the time before it were not heard. */
  readonly onConnected?: () => void
}

const RETRY_MS = 250

/**
 * Packets that flows send to the agent or the responder (`compile/traps.ts`), on a connection of their own: behind them no bundle has to wait, and they come while one is written.
 * Connects while somebody wants them, and again when the connection is lost; what was sent meanwhile is lost, as `controller` says.
 */
export class PacketChannel {
  readonly #options: PacketChannelOptions
  readonly #wanting: Set<Trap> = new Set()
  #run: Promise<void> | undefined
  #client: OpenFlowClient | undefined
  readonly #stop: AbortController = new AbortController()

  constructor(options: PacketChannelOptions) {
    this.#options = options
  }

  /** Whether any flow sends packets for that reason. */
  want(trap: Trap, wanted: boolean): void {
    if (wanted) this.#wanting.add(trap)
    else this.#wanting.delete(trap)
    if (!this.#wanted) this.#client?.close()
    else if (!this.#stop.signal.aborted) this.#run ??= this.#follow()
  }

  get connected(): boolean {
    return this.#client !== undefined
  }

  get #wanted(): boolean {
    return this.#wanting.size > 0
  }

  /** What meters have counted; undefined while there is no connection. */
  async meterStats(): Promise<readonly MeterStats[] | undefined> {
    return await this.#client?.meterStats().catch((error: unknown) => {
      if (!(error instanceof OpenFlowError)) throw error
      return undefined
    })
  }

  /** The flows of a table that are ours. Undefined while there is no connection. */
  async flows(table: number): Promise<readonly Flow[] | undefined> {
    const filter = { table, cookie: allOurs.value, cookie_mask: allOurs.mask }
    const dump = await this.#client?.dumpFlows(filter).catch((error: unknown) => {
      if (!(error instanceof OpenFlowError)) throw error
      return undefined
    })
    return dump?.flows.map(({ flow }) => flow)
  }

  /** Sends a packet through actions, as if from `in_port`. False while there is no connection. */
  async send(packet: PacketOut): Promise<boolean> {
    if (this.#client === undefined) return false
    return await this.#client.packetOut(packet).then(
      () => true,
      () => false,
    )
  }

  /** Writes flows that follow from packets, all or none. Resolves to why it failed, if it did. */
  async write(mods: readonly FlowMod[]): Promise<string | undefined> {
    if (this.#client === undefined) return 'not connected'
    return await this.#client.applyBundle(mods).then(
      () => undefined,
      (error: unknown) => String(error),
    )
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#client?.close()
    await this.#run
  }

  async #follow(): Promise<void> {
    while (this.#wanted && !this.#stop.signal.aborted) {
      await this.#once().catch((error: unknown) => {
        if (!(error instanceof OpenFlowError)) throw error
        this.#options.log('debug', 'packets are not heard; connecting again', { error: error.message })
      })
      if (this.#wanted) await sleep(RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
    this.#run = undefined
  }

  /** One connection, from its beginning to its end. */
  async #once(): Promise<void> {
    let onEnd = (): void => {}
    const ended = new Promise<void>((resolve) => {
      onEnd = resolve
    })
    const client = await OpenFlowClient.connect({ path: this.#options.path, onClose: () => onEnd() })
    try {
      await client.listenForPackets(this.#options.controller ?? OUR_CONTROLLER, (packet) => this.#hand(packet))
      this.#client = client
      if (!this.#wanted || this.#stop.signal.aborted) return
      this.#options.onConnected?.()
      await ended
    } finally {
      this.#client = undefined
      client.close()
    }
  }

  #hand(packet: PacketIn): void {
    const trap = BY_NUMBER.get(packet.userdata[0] ?? 0)
    if (trap !== undefined) this.#options.onPacket[trap]?.({ ...packet, data: packet.userdata.subarray(1) })
  }
}

const BY_NUMBER: ReadonlyMap<number, Trap> = new Map((Object.keys(TRAP) as Trap[]).map((trap) => [TRAP[trap], trap]))
