import type { DriverOptions, Item } from '../../backend.ts'
import { flowItemKey } from '../compile/build.ts'
import type { SettingValue } from '../compile/values.ts'
import type { Flow } from '../flow/types.ts'
import { OpenFlowClient } from '../openflow/client.ts'
import type { FlowEvent } from '../openflow/flow-monitor.ts'
import type { PortDescription } from '../openflow/ports.ts'

export interface ProviderBridgeOptions {
  readonly name: string
  /** The bridge's management socket. */
  readonly path: string
  readonly log: DriverOptions['log']
  /** What is known of it may have changed. */
  readonly onChange: () => void
}

/** What a bridge of others says of itself. */
export interface BridgeState {
  /** Flows of table 0, by key. */
  readonly flows: Map<string, Flow>
  readonly ports: Map<number, PortDescription>
  /** There are flows that this client cannot read: nothing can be said of all flows. */
  unreadable: boolean
}

interface Link {
  readonly client: OpenFlowClient
  readonly state: BridgeState
}

const CONNECT_MS = 2_000
const REQUEST_MS = 5_000
/** A controller may write many flows in a row. */
const PAUSE_MS = 50

/**
 * A bridge of others that a patch of ours leads to, over OpenFlow. Nothing is written there, but that our own port takes frames again. Its table 0 is followed by a
 * monitor; its ports are asked for, since to be told of them a connection has to write the bridge's configuration.
 */
export class ProviderBridge {
  readonly #options: ProviderBridgeOptions
  #link: Promise<Link> | undefined
  #current: Link | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ProviderBridgeOptions) {
    this.#options = options
  }

  /** As last read or told; undefined while it does not answer. */
  state(): BridgeState | undefined {
    return this.#current?.state
  }

  /** Connects where it is not; reads its ports again, and with `fresh` its flows. Never rejects: a bridge of others that does not answer is no fault of ours. */
  async read(fresh: boolean): Promise<void> {
    if (this.#closed) return
    const known = this.#current
    try {
      const link = await this.#connected()
      if (link !== known) return
      if (fresh) await readFlows(link)
      if (await readPorts(link)) this.#options.onChange()
    } catch (error) {
      this.#options.log('debug', `${this.#options.name} cannot be read`, { error: String(error) })
    }
  }

  /** Ends what others told our port there to refuse, and reads it again. */
  async setRight(items: readonly Item[], failed: Map<string, string>): Promise<void> {
    try {
      const link = await this.#connected()
      for (const { value } of items) {
        const { port } = value as SettingValue
        if (port !== undefined) await link.client.acceptOn(port)
      }
      await readPorts(link)
    } catch (error) {
      for (const { key } of items) failed.set(key, error instanceof Error ? error.message : String(error))
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    const link = await this.#link?.catch(() => undefined)
    link?.client.close()
  }

  #connected(): Promise<Link> {
    this.#link ??= this.#open().catch((error: unknown) => {
      this.#link = undefined
      throw error
    })
    return this.#link
  }

  async #open(): Promise<Link> {
    const state: BridgeState = { flows: new Map(), ports: new Map(), unreadable: false }
    const client = await OpenFlowClient.connect({
      path: this.#options.path,
      connectTimeout: CONNECT_MS,
      requestTimeout: REQUEST_MS,
      onClose: () => this.#lost(state),
    })
    const link = { client, state }
    try {
      await client.monitorFlows({ initial: true, own: true, table: 0 }, (event) => this.#onEvent(link, event))
      await readPorts(link)
    } catch (error) {
      client.close()
      throw error
    }
    this.#current = link
    this.#changed()
    return link
  }

  #lost(state: BridgeState): void {
    if (this.#current?.state !== state) return
    this.#link = undefined
    this.#current = undefined
    this.#changed()
  }

  #onEvent(link: Link, event: FlowEvent): void {
    const { flows } = link.state
    switch (event.kind) {
      case 'initial':
      case 'added':
      case 'modified':
        flows.set(flowItemKey('', event.flow), event.flow)
        break
      case 'removed':
        flows.delete(flowItemKey('', event.flow))
        break
      case 'unreadable':
        link.state.unreadable = true
        break
      case 'resumed':
        void readFlows(link).then(
          () => this.#changed(),
          () => {},
        )
        return
      case 'own':
      case 'paused':
        return
    }
    if (event.kind !== 'initial') this.#changed()
  }

  #changed(): void {
    if (this.#closed || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#options.onChange()
    }, PAUSE_MS)
  }
}

async function readFlows({ client, state }: Link): Promise<void> {
  const dump = await client.dumpFlows({ table: 0 })
  state.flows.clear()
  for (const { flow } of dump.flows) state.flows.set(flowItemKey('', flow), flow)
  state.unreadable = dump.unreadable.length > 0
}

/** True when something new was read. */
async function readPorts({ client, state }: Link): Promise<boolean> {
  const text = (): string => JSON.stringify([...state.ports.values()].map((p) => [p.port, p.name, p.refuses]))
  const before = text()
  const ports = await client.dumpPorts()
  state.ports.clear()
  for (const port of ports) state.ports.set(port.port, port)
  return text() !== before
}
