import { setTimeout as sleep } from 'node:timers/promises'
import type { DriverOptions } from '../../backend.ts'
import { flowItemKey } from '../compile/build.ts'
import { allOurs, isOurs } from '../compile/cookie.ts'
import { BRIDGE } from '../compile/names.ts'
import { SNOOPED } from '../compile/pipeline.ts'
import { ORIGIN } from '../compile/registers.ts'
import { NOT_LET_OUT, type SnoopedNetwork, type SnoopPlan } from '../compile/snoop.ts'
import { aliveFlow, toAll, toOne } from '../compile/snoop-flows.ts'
import { formatFlow } from '../flow/format.ts'
import type { Flow } from '../flow/types.ts'
import type { FlowMod } from '../openflow/flow-mod.ts'
import type { FlowEvent } from '../openflow/flow-monitor.ts'
import { isForAll, makeQuery, readFrame, type Said } from '../snoop/messages.ts'
import {
  type Ask,
  count,
  flowsOf,
  follow,
  HEARD_PER_SECOND,
  hear,
  LAST_MEMBER_SECONDS,
  newState,
  responseTime,
  type SnoopState,
  tick,
} from '../snoop/state.ts'
import type { PacketChannel, Trapped } from './packet-channel.ts'

export interface SnooperOptions {
  readonly channel: PacketChannel
  readonly log: DriverOptions['log']
}

/** How often time is looked at. */
const TICK_MS = 250
/** A switch that does not answer must not keep the agent from stopping. */
const GOODBYE_MS = 1000
/** A burst of reports is one write. */
const PAUSE_MS = 20
/** Seconds that the flows of a dead agent stay in force; a snooped network that asks more often has less to wait. */
const ALIVE = { least: 2, most: 10 } as const

/**
 * IGMP and MLD snooping: hears what ports say of groups, asks them, and keeps the flows that follow from it (`snoop-flows.ts`). They lie beside those that follow from intents, and beside the
 * runs that write these. When the agent is gone, or was deaf for a moment, everyone gets everything.
 */
export class Snooper {
  readonly #channel: PacketChannel
  readonly #log: DriverOptions['log']
  readonly #states: Map<string, SnoopState> = new Map()
  readonly #byNumber: Map<number, SnoopState> = new Map()
  /** By key: what is to stand in the switch, and what stands there as far as is known. */
  readonly #wanted: Map<string, Flow> = new Map()
  readonly #held: Map<string, Flow> = new Map()
  readonly #keys: Map<string, ReadonlySet<string>> = new Map()
  readonly #touched: Set<string> = new Set()
  #plan: SnoopPlan | undefined
  /** Somebody said what is wanted. Who only looks at the switch never does, and must not touch what an agent made there. */
  #begun = false
  /** All there is was made by a process before this one, or before the connection broke. */
  #wipe = true
  #aliveAt = 0
  #timer: NodeJS.Timeout | undefined
  #pause: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined

  constructor({ channel, log }: SnooperOptions) {
    this.#channel = channel
    this.#log = log
  }

  /** What is to be snooped from now on. */
  follow(plan: SnoopPlan | undefined): void {
    if (plan === undefined && this.#plan !== undefined) {
      // It would run out by itself; but nothing of it is wanted any more.
      this.#held.set(this.#aliveKey(), aliveFlow(this.#plan.host, 1))
      this.#touched.add(this.#aliveKey())
    }
    this.#plan = plan
    this.#begun = true
    const now = performance.now()
    const networks = new Map((plan?.networks ?? []).map((n) => [n.domain, n]))
    for (const domain of [...this.#states.keys()]) if (!networks.has(domain)) this.#forget(domain)
    for (const network of networks.values()) this.#take(network, now)
    this.#byNumber.clear()
    for (const state of this.#states.values()) this.#byNumber.set(state.at.number, state)
    this.#listen()
    this.#flushSoon()
  }

  #take(network: SnoopedNetwork, now: number): void {
    const state = this.#states.get(network.domain)
    // Another number means other flows for everything.
    if (state === undefined || state.at.number !== network.number) this.#states.set(network.domain, newState(network, now))
    else if (!sameNetwork(state.at, network)) follow(state, network, now)
  }

  #forget(domain: string): void {
    this.#states.delete(domain)
    this.#setWanted(domain, [])
  }

  /** Connects while there is something to hear or to take away. */
  #listen(): void {
    if (!this.#begun) return
    const some = this.#states.size > 0
    this.#channel.want('snoop', some || this.#held.size > 0)
    if (some) this.#timer ??= setInterval(() => this.#tick(), TICK_MS)
    else {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  /** A connection stands anew: what was said meanwhile was not heard. */
  connected(): void {
    const now = performance.now()
    this.#wipe = true
    for (const [domain, { at }] of this.#states) this.#states.set(domain, newState(at, now))
    this.#byNumber.clear()
    for (const state of this.#states.values()) this.#byNumber.set(state.at.number, state)
    this.#flushSoon()
  }

  /** A flow of these tables was there, came, changed or went, by whichever hand. */
  told({ kind, flow }: Extract<FlowEvent, { readonly flow: Flow }>): void {
    const key = flowItemKey(BRIDGE, flow)
    if (this.#plan !== undefined && key === this.#aliveKey()) {
      if (kind === 'removed') this.#aliveAt = 0
    } else if (kind === 'removed' || !isOurs(flow.cookie)) this.#held.delete(key)
    else this.#held.set(key, flow)
    this.#listen()
    this.#touched.add(key)
    this.#flushSoon()
  }

  heard({ packet, metadata, data }: Trapped): void {
    const number = Number(metadata.metadata?.value ?? 0n)
    const state = this.#byNumber.get(number)
    if (state === undefined) return
    const now = performance.now()
    if (count(state, now)) this.#log('warn', 'too much is said of multicast groups: the network is flooded', { network: state.at.domain })
    if (state.heard <= HEARD_PER_SECOND) {
      const said = heardBy(data, readFrame(packet))
      const isLocal = (Number(metadata.reg0?.value ?? 0n) & 3) === ORIGIN.local
      if (said !== undefined) {
        for (const ask of hear(state, said, isLocal ? Number(metadata.reg1?.value ?? 0n) : undefined, now)) this.#askOne(ask)
        if (isForAll(said, packet)) this.#send(packet, toAll(number), Number(metadata.in_port?.value ?? 0n))
      }
    }
    if (state.changed) this.#flushSoon()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    clearTimeout(this.#pause)
    this.#timer = undefined
    await this.#writing
    // Nobody hears from here on: everyone gets everything at once, and not when the flow has run out.
    if (this.#plan !== undefined && this.#channel.connected)
      await Promise.race([this.#channel.write([removalOf(aliveFlow(this.#plan.host, 1))]), sleep(GOODBYE_MS, undefined, { ref: false })])
    this.#plan = undefined
  }

  #tick(): void {
    const now = performance.now()
    for (const state of this.#states.values()) if (tick(state, now)) this.#askAll(state)
    this.#flushSoon()
  }

  #askAll(state: SnoopState): void {
    const options = { seconds: responseTime(state), interval: state.at.query_interval }
    for (const family of [4, 6] as const) this.#send(makeQuery(family, options), toAll(state.at.number))
  }

  #askOne({ network, target, family, group }: Ask): void {
    const options = { group, seconds: LAST_MEMBER_SECONDS, interval: 0 }
    this.#send(makeQuery(family, options), toOne(network, target))
  }

  #send(packet: Uint8Array, actions: Flow['actions'], from?: number): void {
    void this.#channel.send({ packet, actions, ...(from === undefined ? {} : { in_port: from }) })
  }

  #aliveKey(): string {
    return this.#plan === undefined ? '' : flowItemKey(BRIDGE, aliveFlow(this.#plan.host, 1))
  }

  #aliveSeconds(): number {
    const shortest = Math.min(...[...this.#states.values()].map((s) => s.at.query_interval))
    return Math.max(ALIVE.least, Math.min(ALIVE.most, Math.floor(shortest)))
  }

  #setWanted(domain: string, flows: readonly Flow[]): void {
    const next = new Map(flows.map((flow) => [flowItemKey(BRIDGE, flow), flow]))
    for (const key of this.#keys.get(domain) ?? []) {
      if (next.has(key)) continue
      this.#wanted.delete(key)
      this.#touched.add(key)
    }
    for (const [key, flow] of next) {
      if (this.#wanted.has(key)) continue
      this.#wanted.set(key, flow)
      this.#touched.add(key)
    }
    if (next.size === 0) this.#keys.delete(domain)
    else this.#keys.set(domain, new Set(next.keys()))
  }

  #flushSoon(): void {
    if (this.#pause !== undefined || this.#writing !== undefined) return
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      this.#writing = this.#flush().finally(() => {
        this.#writing = undefined
        if (this.#touched.size > 0 && this.#channel.connected) this.#flushSoon()
      })
    }, PAUSE_MS)
  }

  async #flush(): Promise<void> {
    const now = performance.now()
    for (const [domain, state] of this.#states) {
      if (!state.changed) continue
      state.changed = false
      this.#setWanted(domain, flowsOf(state, now))
    }
    if (!this.#begun || !this.#channel.connected) return
    const mods = [...this.#wipes(), ...this.#changes(), ...this.#alive(now)]
    const fault = mods.length === 0 ? undefined : await this.#channel.write(mods)
    if (fault !== undefined) this.#failed(fault)
    this.#listen()
  }

  /** Nobody knows what arrived: all is written anew, by the next tick. */
  #failed(fault: string): void {
    if (!this.#wipe) this.#log('debug', 'flows of multicast groups could not be written; writing them anew', { error: fault })
    this.#wipe = true
    this.#touched.clear()
  }

  #wipes(): FlowMod[] {
    if (!this.#wipe) return []
    this.#wipe = false
    this.#held.clear()
    this.#aliveAt = 0
    for (const key of this.#wanted.keys()) this.#touched.add(key)
    return [...SNOOPED].map((table) => ({
      command: 'delete',
      cookie_mask: allOurs.mask,
      flow: { table, priority: 0, cookie: allOurs.value, flags: [], match: {}, actions: [] },
    }))
  }

  #changes(): FlowMod[] {
    const mods: FlowMod[] = []
    const alive = this.#aliveKey()
    for (const key of this.#touched) {
      const want = this.#wanted.get(key)
      const have = this.#held.get(key)
      if (key === alive || (want !== undefined && have !== undefined && formatFlow(want) === formatFlow(have))) continue
      if (want !== undefined) {
        mods.push({ command: 'add', flow: want })
        this.#held.set(key, want)
      } else if (have !== undefined) {
        mods.push({ command: 'delete_strict', flow: have })
        this.#held.delete(key)
      }
    }
    this.#touched.clear()
    return mods
  }

  #alive(now: number): FlowMod[] {
    if (this.#plan === undefined || now < this.#aliveAt) return []
    const seconds = this.#aliveSeconds()
    this.#aliveAt = now + (seconds * 1000) / 4
    return [{ command: 'add', flow: aliveFlow(this.#plan.host, seconds) }]
  }
}

function sameNetwork(a: SnoopedNetwork, b: SnoopedNetwork): boolean {
  const same = a.querier === b.querier && a.query_interval === b.query_interval && a.ports.size === b.ports.size
  return same && [...b.ports].every(([target, ofport]) => a.ports.get(target) === ofport)
}

function removalOf(flow: Flow): FlowMod {
  return { command: 'delete_strict', flow }
}

/** What of it others have heard, too. */
function heardBy(data: Buffer, said: Said | undefined): Said | undefined {
  return data[0] === NOT_LET_OUT[0] && said?.kind !== 'report' ? undefined : said
}
