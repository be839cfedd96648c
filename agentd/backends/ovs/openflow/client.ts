import { ask, askParts, message, order } from './ask.ts'
import { isMeterMod, putPortsAndMeters } from './async.ts'
import { applyBundle } from './bundle.ts'
import type { ByteWriter } from './bytes.ts'
import { Connection, type Message } from './connection.ts'
import { NICIRA, NXT, PART, TYPE } from './constants.ts'
import { OpenFlowError } from './error.ts'
import type { FlowMod } from './flow-mod.ts'
import { type FlowEvent, type MonitorOptions, putMonitor, putMonitorCancel, readMonitorEvents } from './flow-monitor.ts'
import {
  type Aggregate,
  type FlowDump,
  type FlowEntry,
  type FlowFilter,
  putFlowRequest,
  readAggregate,
  readFlowStats,
  type UnreadableFlow,
} from './flow-stats.ts'
import { type Group, type GroupCommand, putGroupMod, readGroups } from './groups.ts'
import {
  type Meter,
  type MeterCommand,
  type MeterStats,
  putMeterMod,
  readMeterConfigs,
  readMeterFeatures,
  readMeterStats,
} from './meters.ts'
import { type PacketIn, type PacketOut, putPacketOut, readPacketIn } from './packets.ts'
import { type PortDescription, type PortEvent, putPortAccepts, readPortStatus, readPorts } from './ports.ts'

export interface OpenFlowOptions {
  /** The bridge's management socket: `<rundir>/<bridge>.mgmt`. */
  readonly path: string
  readonly connectTimeout?: number
  /** Milliseconds that one request may take; for a bundle, each of its steps. */
  readonly requestTimeout?: number
  /** Called once, whatever ended the connection (vswitchd ended, the bridge was deleted, `close`). Connecting again is up to the caller. */
  readonly onClose?: (error: OpenFlowError) => void
}

const ALL_METERS = 0xffffffff
const ALL_GROUPS = 0xfffffffc
const PACKET_IN2 = 2

/** A connection to one bridge, by OpenFlow 1.4. All methods reject with OpenFlowError; none of them reconnects. */
export class OpenFlowClient {
  readonly #timeout: number
  readonly #monitors: Map<number, (event: FlowEvent) => void> = new Map()
  readonly #packetListeners: Set<(packet: PacketIn) => void> = new Set()
  readonly #portListeners: Set<(event: PortEvent) => void> = new Set()
  readonly #meterListeners: Set<() => void> = new Set()
  #connection!: Connection
  #nextId = 1
  #bundles: Promise<void> = Promise.resolve()

  private constructor(timeout: number) {
    this.#timeout = timeout
  }

  /** Rejects with `connect`. */
  static async connect(options: OpenFlowOptions): Promise<OpenFlowClient> {
    const client = new OpenFlowClient(options.requestTimeout ?? 60_000)
    const onClose = options.onClose ?? ((): void => {})
    client.#connection = await Connection.open(options.path, options.connectTimeout ?? 5_000, (m) => client.#unasked(m), onClose)
    return client
  }

  get closed(): OpenFlowError | undefined {
    return this.#connection.closed
  }

  close(): void {
    this.#connection.end(new OpenFlowError('closed', 'the client was closed'))
  }

  /** Resolves when the bridge has carried out everything sent before. */
  async barrier(timeoutMs: number = this.#timeout): Promise<void> {
    await ask(this.#connection, TYPE.BARRIER_REQUEST, () => {}, timeoutMs)
  }

  async dumpFlows(filter: FlowFilter = {}): Promise<FlowDump> {
    const dump: { flows: FlowEntry[]; unreadable: UnreadableFlow[] } = { flows: [], unreadable: [] }
    const put = (w: ByteWriter): void => putFlowRequest(w, filter)
    await askParts(this.#connection, PART.FLOW, put, this.#timeout, (body) => readFlowStats(body, dump))
    return dump
  }

  async aggregate(filter: FlowFilter = {}): Promise<Aggregate> {
    let sums: Aggregate = { packets: 0, bytes: 0, flows: 0 }
    const put = (w: ByteWriter): void => putFlowRequest(w, filter)
    await askParts(this.#connection, PART.AGGREGATE, put, this.#timeout, (body) => {
      sums = readAggregate(body)
    })
    return sums
  }

  /** All changes or none, in this order. Bundles follow each other. See `applyBundle` in bundle.ts for what it rejects with. */
  applyBundle(mods: readonly FlowMod[]): Promise<void> {
    const run = this.#bundles.then(() => applyBundle(this.#connection, this.#nextId++, mods, this.#timeout))
    this.#bundles = run.catch(() => {})
    return run
  }

  /** Resolves with how to stop it, once the initial flows (where asked for) were told. */
  async monitorFlows(options: MonitorOptions, listener: (event: FlowEvent) => void): Promise<() => Promise<void>> {
    const id = this.#nextId++
    this.#monitors.set(id, listener)
    try {
      const tell = (body: Buffer): void => readMonitorEvents(body).forEach(listener)
      await askParts(this.#connection, PART.FLOW_MONITOR, (w) => putMonitor(w, id, options), this.#timeout, tell)
    } catch (error) {
      this.#monitors.delete(id)
      throw error
    }
    return async () => {
      this.#monitors.delete(id)
      await askParts(
        this.#connection,
        PART.FLOW_MONITOR,
        (w) => putMonitorCancel(w, id),
        this.#timeout,
        () => {},
      )
    }
  }

  async modMeter(command: MeterCommand, meter: Meter): Promise<void> {
    await order(this.#connection, TYPE.METER_MOD, (w) => putMeterMod(w, command, meter), this.#timeout)
  }

  async dumpMeters(): Promise<Meter[]> {
    return await this.#list(PART.METER_CONFIG, (w) => this.#word(w, ALL_METERS), readMeterConfigs)
  }

  async meterStats(): Promise<MeterStats[]> {
    return await this.#list(PART.METER, (w) => this.#word(w, ALL_METERS), readMeterStats)
  }

  /** How many meters the datapath offers, and how many bands each may have. */
  async meterFeatures(): Promise<{ readonly max: number; readonly bands: number }> {
    const [features] = await this.#list(
      PART.METER_FEATURES,
      () => {},
      (body) => [readMeterFeatures(body)],
    )
    return features ?? { max: 0, bands: 0 }
  }

  async modGroup(command: GroupCommand, group: Group): Promise<void> {
    await order(this.#connection, TYPE.GROUP_MOD, (w) => putGroupMod(w, command, group), this.#timeout)
  }

  async deleteAllGroups(): Promise<void> {
    await this.modGroup('delete', { group: ALL_GROUPS, type: 'all', buckets: [] })
  }

  async dumpGroups(): Promise<Group[]> {
    return await this.#list(PART.GROUP_DESC, () => {}, readGroups)
  }

  async dumpPorts(): Promise<PortDescription[]> {
    return await this.#list(PART.PORT_DESC, () => {}, readPorts)
  }

  /** Ends what `ovs-ofctl mod-port` told a port to refuse. The switch tells everyone of it but this connection. */
  async acceptOn(port: Pick<PortDescription, 'port' | 'mac'>): Promise<void> {
    await order(this.#connection, TYPE.PORT_MOD, (w) => putPortAccepts(w, port), this.#timeout)
  }

  /** Of what is told unasked, only ports and meters: packets that flows of other hands send to every controller do not come here. */
  async muteAllButPortsAndMeters(): Promise<void> {
    await order(this.#connection, TYPE.SET_ASYNC, putPortsAndMeters, this.#timeout)
  }

  /** Called when another connection asked for a change of meters, once it was made. Returns how to stop it. */
  listenForMeters(listener: () => void): () => void {
    this.#meterListeners.add(listener)
    return () => this.#meterListeners.delete(listener)
  }

  /** What the bridge does with fragments of IP, as it stands in its configuration (`ovs-ofctl get-frags`); 0 is `normal`. */
  async fragments(): Promise<number> {
    const { body } = await ask(this.#connection, TYPE.GET_CONFIG_REQUEST, () => {}, this.#timeout)
    return body.readUInt16BE(0)
  }

  async setFragments(handling: number): Promise<void> {
    await order(this.#connection, TYPE.SET_CONFIG, (w) => w.u32(handling * 0x10000 + 0xffff), this.#timeout)
  }

  /** Ports that come, go or change, from now on. Resolves with how to stop it. */
  async listenForPorts(listener: (event: PortEvent) => void): Promise<() => void> {
    await this.#askForAsync()
    this.#portListeners.add(listener)
    return () => this.#portListeners.delete(listener)
  }

  /**
   * Packets that flows send with `controller(id=…)`, from now on: only those for its own `id`. Resolves with how to stop it.
   */
  async listenForPackets(id: number, listener: (packet: PacketIn) => void): Promise<() => void> {
    await this.#experimenter(NXT.SET_PACKET_IN_FORMAT, (w) => w.u32(PACKET_IN2))
    await this.#experimenter(NXT.SET_CONTROLLER_ID, (w) => {
      w.zeros(6)
      w.u16(id)
    })
    await this.#askForAsync()
    this.#packetListeners.add(listener)
    return () => this.#packetListeners.delete(listener)
  }

  /**
   * A management connection is told nothing unasked until its miss_send_len is not zero (OVS, "Asynchronous Messages"). The same message carries the bridge's
   * handling of fragments, which is not this connection's alone.
   */
  async #askForAsync(): Promise<void> {
    await this.setFragments(await this.fragments())
  }

  /** Sends a packet through actions. Resolves when it was handed over, not when it was sent: the bridge refuses by an error nobody waits for. */
  async packetOut(out: PacketOut): Promise<void> {
    await this.#connection.write(message(TYPE.PACKET_OUT, this.#connection.takeXids(1), (w) => putPacketOut(w, out)))
  }

  /** Forgets all connections of a zone. */
  async flushConntrackZone(zone: number): Promise<void> {
    await this.#experimenter(NXT.CT_FLUSH_ZONE, (w) => {
      w.zeros(6)
      w.u16(zone)
    })
  }

  async #experimenter(subtype: number, put: (w: ByteWriter) => void): Promise<void> {
    const whole = (w: ByteWriter): void => {
      w.u32(NICIRA)
      w.u32(subtype)
      put(w)
    }
    await order(this.#connection, TYPE.EXPERIMENTER, whole, this.#timeout)
  }

  async #list<T>(part: number, put: (w: ByteWriter) => void, read: (body: Buffer) => T[]): Promise<T[]> {
    const all: T[] = []
    await askParts(this.#connection, part, put, this.#timeout, (body) => all.push(...read(body)))
    return all
  }

  #word(w: ByteWriter, word: number): void {
    w.u32(word)
    w.zeros(4)
  }

  #unasked({ type, body }: Message): void {
    if (type === TYPE.MULTIPART_REPLY && body.readUInt16BE(0) === PART.FLOW_MONITOR) {
      const events = readMonitorEvents(body.subarray(8))
      for (const listener of [...this.#monitors.values()]) events.forEach(listener)
    } else if (type === TYPE.PORT_STATUS) {
      const event = readPortStatus(body)
      for (const listener of [...this.#portListeners]) listener(event)
    } else if (type === TYPE.REQUESTFORWARD) {
      if (isMeterMod(body)) for (const listener of [...this.#meterListeners]) listener()
    } else if (type === TYPE.EXPERIMENTER && body.readUInt32BE(0) === NICIRA && body.readUInt32BE(4) === NXT.PACKET_IN2) {
      const packet = readPacketIn(body.subarray(8))
      for (const listener of [...this.#packetListeners]) listener(packet)
    }
  }
}
