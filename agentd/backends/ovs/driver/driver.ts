import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../../../../src/model/brand.ts'
import type { Delta, Driver, DriverOptions, Facts, Item, Observed, Outcome } from '../../backend.ts'
import { flowItemKey } from '../compile/build.ts'
import type { Link } from '../compile/links.ts'
import { BRIDGE } from '../compile/names.ts'
import type { SettingValue } from '../compile/values.ts'
import { type OvsdbClient, openOvsdb } from '../ovsdb/client.ts'
import { Around } from './around.ts'
import { settingItems } from './bridge-settings.ts'
import { pickDatapath } from './datapath.ts'
import { FlowChannel } from './flow-channel.ts'
import { foreignFlows } from './flow-table.ts'
import { foreignThings } from './foreign.ts'
import { LinkKeeper } from './link-keeper.ts'
import { factsOf, type Inventory, isDown, isNews, isOurs, MONITORED, rowItems, takeInventory, unreadFlows } from './observe.ts'
import { type Parts, pairsLeft, partsOf } from './parts.ts'
import { followPlugged, NONE_PLUGGED, type PluggedPorts, replugOperations } from './plugged.ts'
import { readBack } from './readback.ts'
import { removeRows, writeRows } from './rows.ts'
import { notShut, type ShutFirst, shutFirst } from './shut.ts'
import { forgetCachedFlows, keepsStaleFlows } from './stale-datapath.ts'

/** Milliseconds a turn may spend on taking ports off before it lets newer work in. */
const REMOVE_BUDGET_MS = 400
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
      onLost: () => this.#onLost(),
    })
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
    const items = new Map<string, Item>(rowItems(this.#inventory, this.#options.installation))
    if (fresh) {
      await this.#around.look(true)
      this.#refreshFacts()
      await this.#links.refresh()
    } else await this.#links.refresh((link) => this.#looksOther(link))
    for (const [key, item] of this.#links.items()) items.set(key, item)
    for (const [key, item] of this.#around.items()) items.set(key, item)
    const foreign = foreignThings(this.#inventory, this.#options.installation)
    const unread = unreadFlows(this.#inventory)
    if (unread !== undefined) return { items, foreign, unread }
    if (this.#inventory.Bridge.has(BRIDGE)) {
      const tables = await this.#flows.tables(fresh).catch((error: unknown) => {
        // The row may have changed while we connected, and says why better than the socket does.
        if (unreadFlows(this.#inventory) === undefined) throw error
        return undefined
      })
      if (tables === undefined) return await this.observe({ fresh })
      for (const [key, item] of tables.own) items.set(key, item)
      for (const [key, item] of this.#settings()) items.set(key, item)
      foreign.push(...foreignFlows(tables))
    }
    return { items, foreign }
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

  /** Pairs and rows first (those of the bridge before those of its ports), then one bundle of flows, then what guests see of their devices, then paced removals; everything read back. */
  async apply(delta: Delta): Promise<Outcome> {
    const failed = new Map<string, string>()
    const timings: Record<string, number> = {}
    const timed = async (stage: string, work: () => Promise<void>): Promise<void> => {
      const began = performance.now()
      await work()
      timings[stage] = Math.round((performance.now() - began) * 100) / 100
    }
    const parts = partsOf(delta)
    const deferred = new Set<string>()
    this.#writing = true
    try {
      if (parts.links.length > 0) await timed('links', () => this.#links.make(parts.links, failed))
      const first = shutFirst(parts, this.#inventory)
      const rows = await this.#shut(first, { failed, deferred, timed })
      if (rows.length > 0 || this.#plugged.lost.size > 0) {
        await timed('rows', () =>
          writeRows(this.#ovsdb, () => this.#inventory, rows, replugOperations(this.#plugged), failed, this.#options.log),
        )
      }
      if (first.flows.length + parts.gone.length > 0)
        await timed('flows', () => this.#writeFlows({ flows: first.flows, gone: parts.gone }, failed, deferred))
      if (parts.settings.length > 0) await timed('settings', () => this.#setRight(parts.settings, failed))
      if (parts.links.length > 0) await timed('settle', () => this.#links.settle(parts.links, failed))
      // Flows that are on no port any more go before their port.
      if (parts.gone.some((i) => deferred.has(i.key))) for (const item of parts.removed) deferred.add(item.key)
      else if (parts.removed.length > 0) {
        await timed('removals', () => removeRows(this.#ovsdb, () => this.#inventory, parts.removed, REMOVE_BUDGET_MS, failed, deferred))
      }
      await this.#links.remove(
        [...parts.goneLinks, ...pairsLeft(parts.removed)].filter((i) => !deferred.has(i.key)),
        failed,
      )
    } finally {
      this.#writing = false
    }
    // Something else may have changed among the changes of ours: look once more.
    if (this.#missed) this.#wake()
    this.#missed = false
    const verified = readBack(delta, this.#found(), failed, deferred)
    return { failed, deferred, verified, timings }
  }

  /** Makes the bridge drop before it gets ports; returns the rows that may follow. */
  async #shut(first: ShutFirst, { failed, deferred, timed }: Progress): Promise<readonly Item[]> {
    const { bridge, drop, ports, rows } = first
    if (ports.length === 0) return rows
    const before = this.#inventory
    if (bridge.length > 0) await timed('bridge', () => writeRows(this.#ovsdb, () => this.#inventory, bridge, [], failed, this.#options.log))
    if (drop.length > 0) await timed('shut', () => this.#flows.write(drop, [], failed, deferred))
    const open = notShut(first, before, failed, deferred)
    if (open === undefined) return rows
    for (const { key } of ports) {
      if (open === 'later') deferred.add(key)
      else failed.set(key, open.cause)
    }
    return rows.filter((item) => !ports.includes(item))
  }

  async #writeFlows({ flows, gone }: Pick<Parts, 'flows' | 'gone'>, failed: Map<string, string>, deferred: Set<string>): Promise<void> {
    await this.#flows.write(flows, gone, failed, deferred)
    const { datapath_type: datapath, version } = this.#facts
    if (datapath === 'netdev' && keepsStaleFlows(version)) await forgetCachedFlows(this.#options.rundir, this.#options.log)
  }

  async #setRight(settings: readonly Item[], failed: Map<string, string>): Promise<void> {
    const here = settings.filter((i) => (i.value as SettingValue).bridge === BRIDGE)
    if (here.length > 0) await this.#flows.setRight(here, failed)
    await this.#around.setRight(settings, failed)
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
    this.#ovsdb.close()
    await Promise.all([this.#flows.close(), this.#around.close()])
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
    this.#facts = factsOf(this.#inventory, this.#options.installation, pickDatapath(this.#inventory), this.#around.facts())
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

/** What an `apply` keeps of its stages. */
interface Progress {
  readonly failed: Map<string, string>
  readonly deferred: Set<string>
  readonly timed: (stage: string, work: () => Promise<void>) => Promise<void>
}

const NO_ITEMS: ReadonlyMap<string, Item> = new Map()
