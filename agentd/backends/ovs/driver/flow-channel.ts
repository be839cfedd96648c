import { setTimeout as sleep } from 'node:timers/promises'
import type { DriverOptions, Item } from '../../backend.ts'
import { isOurs } from '../compile/cookie.ts'
import { BRIDGE } from '../compile/names.ts'
import { SNOOPED } from '../compile/pipeline.ts'
import type { Flow } from '../flow/types.ts'
import { OpenFlowClient } from '../openflow/client.ts'
import { OpenFlowError } from '../openflow/error.ts'
import type { FlowEvent } from '../openflow/flow-monitor.ts'
import type { FlowEntry } from '../openflow/flow-stats.ts'
import type { PacketOut } from '../openflow/packets.ts'
import { type BridgeSettings, lookIntoFragments, notePort, readSettings, setRight } from './bridge-settings.ts'
import { type FlowTables, forgetFlow, isKept, noFlows, noteFlow } from './flow-table.ts'
import { change, removal, writeSome } from './flow-write.ts'
import { type MeterChange, type MeterTable, noMeters, readMeters, removeMeters, writeMeters } from './meter-table.ts'

export interface FlowChannelOptions {
  /** The bridge's management socket. */
  readonly path: string
  readonly log: DriverOptions['log']
  /** False while the bridge's row forbids what our client speaks: connecting is in vain until the row is put right. */
  readonly isReadable: () => boolean
  /** Flows, meters or ports were changed by another hand, or the connection was lost or found again. */
  readonly onChange: () => void
  /** The connection that was in use broke. */
  readonly onLost: () => void
  /** What happened in the tables that the agent fills with what it hears. */
  readonly onSnooped: (event: Extract<FlowEvent, { readonly flow: Flow }>) => void
}

/** A bridge that was just made has its socket a moment later. */
const CONNECT_MS = 5_000
const RETRY_MS = 50
const REQUEST_MS = 30_000
/** Writes in a row that a lost connection may cut short before they count as failed. */
const LOST_WRITES = 3

/** What a write could not do: refused with the switch's words, or to be tried by the next turn. */
export interface Unwritten {
  readonly failed: Map<string, string>
  readonly deferred: Set<string>
}

interface Link {
  readonly client: OpenFlowClient
  readonly tables: FlowTables
  readonly meters: MeterTable
  readonly settings: BridgeSettings
}

/**
 * The flows of br-int and what else OpenFlow sets there: a replica that a flow monitor and notices of ports and meters keep, and bundles. A lost connection (vswitchd ended, the bridge was deleted) forgets the replica, so that
 * nothing is ever written from an incomplete picture; the next use connects again.
 */
export class FlowChannel {
  readonly #options: FlowChannelOptions
  #link: Promise<Link> | undefined
  #current: Link | undefined
  /** While a bundle is under way: key → text that its events will show (`''`: gone). Anything else is another hand. */
  #expected: ReadonlyMap<string, string> = new Map()
  #prober: OpenFlowClient | undefined
  #closed = false
  #lostWrites = 0

  constructor(options: FlowChannelOptions) {
    this.#options = options
  }

  /** What the switch holds. `fresh`: read again, and not by the monitor. Rejects while the switch does not answer. */
  async tables(fresh: boolean): Promise<FlowTables> {
    const connected = this.#link !== undefined
    const link = await this.#connected()
    // A new connection has just read everything.
    if (fresh && connected) await reread(link)
    else [, link.settings.fragments] = await Promise.all([link.client.barrier(), link.client.fragments()])
    // The notice came before the barrier's answer. A meter that is gone took its flows along, which are only taken back once it is there.
    if (link.meters.stale) await readMeters(link.client, link.meters)
    return link.tables
  }

  /** A barrier on a connection of its own, kept while it answers: behind a large bundle the question would wait its turn. */
  async probe(timeoutMs: number): Promise<void> {
    this.#prober ??= await OpenFlowClient.connect({ path: this.#options.path, connectTimeout: timeoutMs })
    try {
      await this.#prober.barrier(timeoutMs)
    } catch (error) {
      this.#prober?.close()
      this.#prober = undefined
      throw error
    }
  }

  /** As last told; empty while there is no connection. */
  own(): ReadonlyMap<string, Item> {
    return this.#current?.tables.own ?? new Map()
  }

  held(key: string): Item | undefined {
    return this.#current?.tables.own.get(key) ?? this.#current?.meters.own.get(key)
  }

  /** As last read; empty while there is no connection. */
  meters(): MeterTable {
    return this.#current?.meters ?? noMeters()
  }

  /** As last read or told; undefined while there is no connection. */
  settings(): BridgeSettings | undefined {
    return this.#current?.settings
  }

  /** Sets back what others set, and reads it again. */
  async setRight(items: readonly Item[], failed: Map<string, string>): Promise<void> {
    try {
      const { client, settings } = await this.#connected()
      await setRight(client, items)
      await readSettings(client, settings)
    } catch (error) {
      for (const { key } of items) failed.set(key, error instanceof Error ? error.message : String(error))
    }
  }

  /** Sends a packet through actions. False while there is no connection. */
  async send(packet: PacketOut): Promise<boolean> {
    const { client } = this.#current ?? {}
    return (
      client !== undefined &&
      (await client.packetOut(packet).then(
        () => true,
        () => false,
      ))
    )
  }

  async dump(): Promise<readonly FlowEntry[]> {
    const { client } = await this.#connected()
    return (await client.dumpFlows()).flows
  }

  /**
   * One bundle: everything or nothing. When the switch refuses flows, those are set aside into `failed` with its words and the rest is tried again, so that one bad
   * flow does not stop the others. A flow whose actions alone change keeps its counters. When the connection is lost on the way (the switch was restarted, the bridge
   * was reconfigured), nobody knows what arrived: everything is deferred to a turn that reads again.
   */
  async write(
    changes: readonly { readonly before?: Item; readonly after: Item }[],
    gone: readonly Item[],
    failed: Map<string, string>,
    deferred: Set<string>,
  ): Promise<void> {
    const mods = [...gone.map((item) => ({ item, mod: removal(item) })), ...changes.map((c) => ({ item: c.after, mod: change(c) }))]
    try {
      const { client } = await this.#connected()
      this.#expected = new Map([
        ...gone.map((i): [string, string] => [i.key, '']),
        ...changes.map((c): [string, string] => [c.after.key, c.after.text]),
      ])
      await writeSome(client, mods, failed)
      await client.barrier()
      this.#lostWrites = 0
    } catch (error) {
      const lost = this.#isLost(error)
      for (const { item } of mods) {
        if (lost) deferred.add(item.key)
        else if (!failed.has(item.key)) failed.set(item.key, error instanceof Error ? error.message : String(error))
      }
    } finally {
      this.#expected = new Map()
    }
  }

  /** Meters cannot be in a bundle: those that are to be there come before it, those that are to go after it. Each by itself; then all are read. */
  async writeMeters(changes: readonly MeterChange[], gone: readonly Item[], { failed, deferred }: Unwritten): Promise<void> {
    const onError = (item: Item, error: unknown): void => {
      if (this.#isLost(error)) deferred.add(item.key)
      else failed.set(item.key, error instanceof Error ? error.message : String(error))
    }
    try {
      const { client, tables, meters } = await this.#connected()
      await writeMeters(client, changes, onError)
      await removeMeters(client, gone, tables.own, onError)
      await readMeters(client, meters)
    } catch (error) {
      for (const item of [...changes.map((c) => c.after), ...gone]) if (!failed.has(item.key)) onError(item, error)
    }
  }

  /** Cut short by a connection that broke, and not for the third time in a row. */
  #isLost(error: unknown): boolean {
    return error instanceof OpenFlowError && error.code === 'closed' && this.#lostWrites++ < LOST_WRITES
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#prober?.close()
    const link = await this.#link?.catch(() => undefined)
    link?.client.close()
  }

  #connected(): Promise<Link> {
    this.#link ??= this.#connect().catch((error: unknown) => {
      this.#link = undefined
      throw error
    })
    return this.#link
  }

  async #connect(): Promise<Link> {
    const end = Date.now() + CONNECT_MS
    for (;;) {
      try {
        return await this.#open()
      } catch (error) {
        // `closed`: a switch that is just going.
        const passing = error instanceof OpenFlowError && (error.code === 'connect' || error.code === 'closed')
        if (this.#closed || Date.now() > end || !passing || !this.#options.isReadable()) throw error
        await sleep(RETRY_MS)
      }
    }
  }

  async #open(): Promise<Link> {
    const tables = noFlows()
    const client = await OpenFlowClient.connect({
      path: this.#options.path,
      requestTimeout: REQUEST_MS,
      onClose: (error) => this.#lost(tables, error),
    })
    const settings: BridgeSettings = { ports: new Map(), fragments: 0 }
    const meters = noMeters()
    const link = { client, tables, meters, settings }
    await client.muteAllButPortsAndMeters()
    await lookIntoFragments(client)
    await client.listenForPorts((event) => {
      if (notePort(settings, event)) this.#options.onChange()
    })
    client.listenForMeters(() => {
      meters.stale = true
      this.#options.onChange()
    })
    await readSettings(client, settings)
    await readMeters(client, meters)
    await client.monitorFlows({ initial: true, own: true }, (event) => this.#onEvent(link, event))
    this.#current = link
    return link
  }

  /** A connection that ends before its tables are in use is the connector's business. */
  #lost(tables: FlowTables, error: OpenFlowError): void {
    if (this.#closed || this.#current?.tables !== tables) return
    this.#options.log('warn', `the connection to ${BRIDGE} was lost; connecting again`, { error: error.message })
    this.#link = undefined
    this.#current = undefined
    this.#options.onLost()
    this.#options.onChange()
  }

  #onEvent(link: Link, event: FlowEvent): void {
    const { tables } = link
    if ('flow' in event && SNOOPED.has(event.flow.table)) this.#options.onSnooped(event)
    switch (event.kind) {
      case 'initial':
        noteFlow(tables, event.flow)
        return
      case 'added':
      case 'modified': {
        const noted = noteFlow(tables, event.flow)
        if (noted !== undefined) this.#told(noted.key, noted.text)
        return
      }
      case 'removed': {
        const key = forgetFlow(tables, event.flow)
        if (isKept(event.flow) || !isOurs(event.flow.cookie)) this.#told(key, '')
        return
      }
      case 'resumed':
        void reread(link).then(this.#options.onChange, () => {})
        return
      case 'unreadable':
        tables.foreign.set(`flow ${BRIDGE} ${event.table} ${event.priority} (unreadable)`, { text: event.why })
        return
      case 'own':
      case 'paused':
        return
    }
  }

  #told(key: string, text: string): void {
    if (this.#expected.get(key) !== text) this.#options.onChange()
  }
}

/** Reads everything again into the same tables. */
async function reread({ client, tables, meters, settings }: Link): Promise<void> {
  const dump = await client.dumpFlows()
  tables.own.clear()
  tables.foreign.clear()
  tables.metered.clear()
  for (const { flow } of dump.flows) noteFlow(tables, flow)
  for (const f of dump.unreadable) tables.foreign.set(`flow ${BRIDGE} ${f.table} ${f.priority} (unreadable)`, { text: f.why })
  await readMeters(client, meters)
  await readSettings(client, settings)
}
