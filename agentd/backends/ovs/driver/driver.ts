import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../../../../src/model/brand.ts'
import type { Compiled, Delta, Driver, DriverOptions, Facts, Item, Observed, Outcome } from '../../backend.ts'
import type { Announced } from '../compile/announced.ts'
import { flowItemKey } from '../compile/build.ts'
import type { Connections } from '../compile/connections.ts'
import type { Link } from '../compile/links.ts'
import type { Logging } from '../compile/logged.ts'
import { BRIDGE } from '../compile/names.ts'
import type { SnoopPlan } from '../compile/snoop.ts'
import { type OvsdbClient, openOvsdb } from '../ovsdb/client.ts'
import { Announcer } from './announcer.ts'
import { Around } from './around.ts'
import { settingItems } from './bridge-settings.ts'
import { ConnectionKeeper } from './connection-keeper.ts'
import { ConnectionLog } from './connection-log.ts'
import { pickDatapath } from './datapath.ts'
import { FlowChannel } from './flow-channel.ts'
import { foreignFlows } from './flow-table.ts'
import { foreignThings } from './foreign.ts'
import { Layers } from './layers.ts'
import { LinkKeeper } from './link-keeper.ts'
import { foreignMeters, withStale } from './meter-table.ts'
import { factsOf, type Inventory, isDown, isNews, isOurs, MONITORED, rowItems, takeInventory, unreadFlows } from './observe.ts'
import { PacketChannel } from './packet-channel.ts'
import { partsOf } from './parts.ts'
import { followPlugged, NONE_PLUGGED, type PluggedPorts, replugOperations } from './plugged.ts'
import { readBack } from './readback.ts'
import { ResponderKeeper } from './responder-keeper.ts'
import { Snooper } from './snooper.ts'
import { forgetStale } from './stale-datapath.ts'
import { type Hands, type Written, writeParts } from './write-parts.ts'

const READY_MS = 10_000
/** How many times longer an answer may take while we write: a thousand ports keep vswitchd for seconds. */
const BUSY_TIMES = 4

/** Opens the OVS backend's driver: OVSDB first, br-int's flows as soon as the bridge is there. Rejects when OVSDB does not answer in 10 s. */
export async function openOvsDriver(options: DriverOptions): Promise<Driver> {
  const driver = new OvsDriver(options)
  await driver.start()
  return driver
}

class OvsDriver implements Driver {
  readonly #options: DriverOptions
  readonly #ovsdb: OvsdbClient
  readonly #flows: FlowChannel
  readonly #links: LinkKeeper = new LinkKeeper()
  readonly #around: Around
  readonly #hands: Hands
  readonly #snooper: Snooper
  readonly #announcer: Announcer
  readonly #connections: ConnectionKeeper
  readonly #packets: PacketChannel
  readonly #log: ConnectionLog
  readonly #responder: ResponderKeeper
  #inventory: Inventory
  #facts: Facts
  #plugged: PluggedPorts = NONE_PLUGGED
  #listener: (what: 'facts' | 'items') => void = () => {}
  #onLost: () => void = () => {}
  #scheduled: NodeJS.Immediate | undefined
  #writing = false
  #missed = false
  #closed = false

  constructor(options: DriverOptions) {
    this.#options = options
    this.#ovsdb = openOvsdb({
      endpoint: options.database ?? `unix:${options.rundir}/db.sock`,
      tables: MONITORED,
      backoff: (attempt) => Math.min(100 * 2 ** attempt, 3000),
      onUpdate: (changes, whole) => {
        if (whole || changes.some(isNews)) this.#onRows()
      },
      onState: (state, cause) => {
        if (state === 'connected') return options.log('info', 'connected to OVSDB')
        options.log('warn', 'lost OVSDB; flows stay as they are, trying again', { cause })
        this.#onLost()
      },
    })
    this.#inventory = takeInventory(this.#ovsdb.replica)
    this.#facts = factsOf(this.#inventory, options.installation, 'netdev', { addresses: {} })
    this.#around = new Around({
      ...options,
      inventory: () => this.#inventory,
      onChange: () => {
        this.#refreshFacts()
        this.#wake()
      },
    })
    this.#flows = new FlowChannel({
      path: `${options.rundir}/${BRIDGE}.mgmt`,
      log: options.log,
      isReadable: () => unreadFlows(this.#inventory) === undefined,
      onChange: () => this.#wake(),
      onLost: () => {
        this.#connections.restarted()
        this.#onLost()
      },
      onSnooped: (event) => this.#snooper.told(event),
    })
    this.#packets = new PacketChannel({
      path: `${options.rundir}/${BRIDGE}.mgmt`,
      log: options.log,
      onPacket: { log: (packet) => this.#log.take(packet), snoop: (packet) => this.#snooper.heard(packet) },
      onConnected: () => {
        this.#log.restart()
        this.#snooper.connected()
      },
    })
    this.#snooper = new Snooper({ channel: this.#packets, log: options.log })
    this.#announcer = new Announcer({ send: async (packet) => await this.#flows.send(packet) })
    this.#connections = new ConnectionKeeper({ ...options, send: async (packet) => await this.#flows.send(packet) })
    this.#responder = new ResponderKeeper({
      ...options,
      onChange: () => {
        this.#refreshFacts()
        this.#wake()
      },
    })
    this.#log = new ConnectionLog({
      onEntry: options.onLogged ?? (() => {}),
      meterStats: () => this.#packets.meterStats(),
      now: Date.now,
      setTimer: (ms, fn) => {
        const timer = setTimeout(fn, ms).unref()
        return { cancel: () => clearTimeout(timer) }
      },
    })
    this.#hands = {
      options,
      ovsdb: this.#ovsdb,
      flows: this.#flows,
      links: this.#links,
      around: this.#around,
      inventory: () => this.#inventory,
    }
  }

  async start(): Promise<void> {
    try {
      await this.#ovsdb.ready(READY_MS)
    } catch (error) {
      await this.close()
      throw error
    }
    this.#around.start()
  }

  facts(): Facts {
    return this.#facts
  }

  async observe({ fresh = false }: { readonly fresh?: boolean } = {}): Promise<Observed> {
    await this.#ovsdb.ready(READY_MS)
    if (fresh) {
      await this.#around.look(true)
      this.#refreshFacts()
      await this.#links.refresh()
    } else await this.#links.refresh((link) => this.#looksOther(link))
    const layers = [rowItems(this.#inventory, this.#options.installation), this.#links.items(), this.#around.items()]
    const foreign = foreignThings(this.#inventory, this.#options.installation)
    const unread = unreadFlows(this.#inventory)
    if (unread !== undefined) return { items: new Layers(layers), foreign, unread }
    if (this.#inventory.Bridge.has(BRIDGE)) {
      const tables = await this.#flows.tables(fresh).catch((error: unknown) => {
        // The row may have changed while we connected, and says why better than the socket does.
        if (unreadFlows(this.#inventory) === undefined) throw error
        return undefined
      })
      if (tables === undefined) return await this.observe({ fresh })
      const meters = this.#flows.meters()
      // Most of all there is, so first.
      layers.unshift(withStale(tables.own, tables.metered, meters.own))
      layers.push(meters.own, this.#settings())
      foreign.push(...foreignFlows(tables), ...foreignMeters(meters))
    }
    return { items: new Layers(layers), foreign }
  }

  #settings(): ReadonlyMap<string, Item> {
    const settings = this.#flows.settings()
    const flows = this.#flows.own()
    return settings === undefined ? NO_ITEMS : settingItems(settings, this.#inventory, this.#options.installation, flows)
  }

  /** Whether OVS and we disagree on a device of ours being up; inside a namespace OVS does not see it. */
  #looksOther({ name, type, netns, up }: Link): boolean {
    const row = type === 'internal' && netns !== undefined ? undefined : this.#inventory.Interface.get(name)?.row
    return row !== undefined && isDown(row) === up
  }

  /** Before flows send packets, somebody is there who knows what to make of them. */
  prepare({ logging, responder }: Compiled): void {
    if (responder === true) this.#responder.want(true)
    this.#log.know(logging as Logging | undefined)
    this.#packets.want('log', logging !== undefined && this.#options.onLogged !== undefined)
  }

  /** In stages (`writeParts`), then everything is read back. */
  async apply(delta: Delta): Promise<Outcome> {
    const parts = partsOf(delta)
    this.#writing = true
    let written: Written
    try {
      written = await writeParts(this.#hands, parts, replugOperations(this.#plugged))
    } finally {
      this.#writing = false
    }
    // Something else may have changed among the changes of ours: look once more.
    if (this.#missed) this.#wake()
    this.#missed = false
    this.#announcer.wrote(delta.add.map((item) => item.key))
    const verified = readBack(delta, this.#found(), written.failed, written.deferred)
    return { ...written, verified }
  }

  /** A run follows a change, ours or another hand's: either may leave stale decisions in the datapath, connections that are allowed no more, and ports that nobody out there has heard of. */
  async settle({ connections, snooping, announced, responder }: Compiled): Promise<void> {
    if (responder !== true) this.#responder.want(false)
    this.#snooper.follow(snooping as SnoopPlan | undefined)
    if (responder === true) await this.#responder.ready()
    if (this.#facts.datapath_type === 'netdev') await forgetStale(this.#options.rundir, this.#options.log)
    this.#announcer.settle((announced as readonly Announced[] | undefined) ?? [], (key) => this.#flows.held(key) !== undefined)
    if (connections === undefined) return
    const { judges, freed } = connections as Connections
    await this.#connections.settle(judges, freed)
  }

  /** What the replicas show now. */
  #found(): (key: string) => Item | undefined {
    const rows = rowItems(this.#inventory, this.#options.installation)
    const settings = this.#settings()
    const around = this.#around.items()
    return (key) => rows.get(key) ?? this.#flows.held(key) ?? this.#links.items().get(key) ?? settings.get(key) ?? around.get(key)
  }

  async probe(timeoutMs: number): Promise<void> {
    const patience = this.#writing ? BUSY_TIMES * timeoutMs : timeoutMs
    await this.#ovsdb.probe(patience)
    // Without the bridge there is no one else to ask, and nothing that forwards.
    if (this.#inventory.Bridge.has(BRIDGE)) await this.#flows.probe(patience)
  }

  onChange(listener: (what: 'facts' | 'items') => void): void {
    this.#listener = listener
  }

  onLost(listener: () => void): void {
    this.#onLost = listener
  }

  async ask(question: { readonly what: string; readonly [k: string]: unknown }): Promise<JsonObject> {
    switch (question.what) {
      case 'flows': {
        const dump = await this.#flows.dump()
        return {
          id: randomUUID(),
          flows: dump.map((f) => ({
            key: flowItemKey(BRIDGE, f.flow),
            cookie: f.flow.cookie.toString(16),
            packets: Number(f.packets),
            bytes: Number(f.bytes),
          })),
        }
      }
      default:
        throw new Error(`the ovs backend does not know the question ${question.what}`)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled)
    await Promise.all([this.#snooper.close(), this.#announcer.close(), this.#responder.close()])
    this.#ovsdb.close()
    this.#log.close()
    await Promise.all([this.#flows.close(), this.#packets.close(), this.#around.close()])
  }

  #onRows(): void {
    const { installation } = this.#options
    this.#inventory = takeInventory(this.#ovsdb.replica)
    this.#around.follow()
    this.#refreshFacts()
    this.#plugged = followPlugged(this.#plugged, this.#inventory, (name) => {
      const there = this.#inventory.Interface.get(name)
      return there !== undefined && isOurs(there.row, installation)
    })
    this.#wake()
  }

  #refreshFacts(): void {
    const facts = factsOf(this.#inventory, this.#options.installation, pickDatapath(this.#inventory), this.#around.facts())
    const fault = this.#responder.fault
    this.#facts = fault === undefined ? facts : { ...facts, responder_fault: fault }
  }

  /** One call for a burst of changes; those that come while we write are looked at once, afterwards. */
  #wake(): void {
    if (this.#writing) this.#missed = true
    if (this.#closed || this.#writing || this.#scheduled !== undefined) return
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined
      this.#listener('items')
    })
  }
}

const NO_ITEMS: ReadonlyMap<string, Item> = new Map()
