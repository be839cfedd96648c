import { groupBy } from '../../../../src/lib/group-by.ts'
import type { DriverOptions } from '../../backend.ts'
import { type Connection, isAllowed, type Judge, onlyGrew } from '../compile/connections.ts'
import type { PacketOut } from '../openflow/packets.ts'
import { canBeEnded, connectionTuple, readConnections, refusal } from './conntrack.ts'
import type { Unixctl } from './unixctl.ts'
import { connectVswitchd } from './vswitchd.ts'

export interface ConnectionKeeperOptions extends Pick<DriverOptions, 'rundir' | 'log'> {
  /** Sends a packet through the bridge. False: it could not. */
  readonly send: (packet: PacketOut) => Promise<boolean>
}

/**
 * Connections that one port may have at a time: as many as a guest's own Linux keeps (`nf_conntrack_max` of a machine with memory enough). Open vSwitch keeps 3,000,000 for all ports together,
 * and one guest would take them all. What is above passes as rules say, and is not answered.
 */
const MOST_OF_A_PORT = 262_144
/** More than these of one port are not ended one by one, which would keep vswitchd from forwarding: its zone is emptied. */
const ONE_BY_ONE = 1000
/** Zones named in one command. */
const AT_ONCE = 500
/** Zones whose connections are asked for one by one. */
const FEW_ZONES = 8

/**
 * Ends what the rules allow no more. Flows refuse the frames of such a connection from the side that began it; until that side speaks, answers would still pass. So once the flows stand,
 * the connections of ports whose rules lost something are looked through, and those that no rule would let in are forgotten, one by one: Open vSwitch cannot forget by mark, and
 * forgetting a whole zone would cut what is allowed.
 */
export class ConnectionKeeper {
  readonly #options: ConnectionKeeperOptions
  /** By zone. Undefined: nothing is known of what was there before this process. */
  #judged: ReadonlyMap<number, Judge> | undefined
  /** Zones that have their limit. */
  #limited: ReadonlySet<number> = new Set()

  constructor(options: ConnectionKeeperOptions) {
    this.#options = options
  }

  /** The switch may have started anew: it has forgotten connections and limits. */
  restarted(): void {
    this.#limited = new Set()
  }

  /** Costs nothing where nothing was taken away and no port came or went. Rejects when vswitchd cannot be asked; the next call looks again. */
  async settle(judges: readonly Judge[], freed: readonly number[]): Promise<void> {
    const next = new Map(judges.map((judge) => [judge.zone, judge]))
    const before = this.#judged
    const hasMoved = (judge: Judge): boolean => isElsewhere(before?.get(judge.zone), judge)
    const moved = judges.filter(hasMoved)
    const narrowed = judges.filter((judge) => !hasMoved(judge) && hasLost(before, judge))
    const left = before === undefined ? freed : [...before.keys()]
    const gone = left.filter((zone) => !next.has(zone))
    const news = [...next.keys()].filter((zone) => !this.#limited.has(zone))
    if (narrowed.length + moved.length + gone.length + news.length > 0) {
      const control = await connectVswitchd(this.#options.rundir)
      try {
        await limit(control, news, gone).catch((error: unknown) => this.#unlimited(String(error)))
        for (const zone of [...gone, ...moved.map((judge) => judge.zone)]) await control.call('dpctl/flush-conntrack', `zone=${zone}`)
        const kept = await keptBy(control, narrowed)
        for (const judge of narrowed) await this.#narrow(control, judge, kept.get(judge.zone) ?? [])
      } finally {
        control.close()
      }
    }
    this.#judged = next
    this.#limited = new Set(next.keys())
  }

  /** A datapath that knows no limits forwards all the same. */
  #unlimited(error: string): void {
    this.#options.log('warn', 'the connections of a port are not limited: one guest could use up the table of all', { error })
  }

  async #narrow(control: Unixctl, judge: Judge, kept: readonly Connection[]): Promise<void> {
    const ended = kept.filter((connection) => !isAllowed(judge, connection))
    if (ended.length === 0) return
    if (ended.length > ONE_BY_ONE) await control.call('dpctl/flush-conntrack', `zone=${judge.zone}`)
    else for (const connection of ended) await this.#endOne(control, connection)
    this.#options.log('info', 'connections ended that no rule allows any more', { port: judge.port, connections: ended.length })
  }

  async #endOne(control: Unixctl, connection: Connection): Promise<void> {
    if (canBeEnded(connection)) {
      await control.call('dpctl/flush-conntrack', `zone=${connection.zone}`, connectionTuple(connection)).catch(ignoreGone)
      return
    }
    const packet = refusal(connection)
    if (packet !== undefined && !(await this.#options.send(packet))) throw new Error('br-int takes no packets')
  }
}

/** By zone. vswitchd goes through its whole table for each question: few zones are asked for by name, many (all of them, when an agent starts) by one question for everything. */
async function keptBy(control: Unixctl, judges: readonly Judge[]): Promise<ReadonlyMap<number, readonly Connection[]>> {
  if (judges.length === 0) return new Map()
  const asked = judges.length > FEW_ZONES ? [[]] : judges.map(({ zone }) => [`zone=${zone}`])
  const kept: Connection[] = []
  for (const zones of asked) for (const each of readConnections(await control.call('dpctl/dump-conntrack', ...zones))) kept.push(each)
  return groupBy(kept, (connection) => connection.zone)
}

/** The port is in another network than before: nothing that it had is of that. */
function isElsewhere(before: Judge | undefined, judge: Judge): boolean {
  return before !== undefined && before.network !== judge.network
}

function hasLost(before: ReadonlyMap<number, Judge> | undefined, judge: Judge): boolean {
  const known = before?.get(judge.zone)
  // A zone that is new to a driver which knows the others had no port, so it has no connection.
  if (known === undefined) return before === undefined
  return known.port !== judge.port || !onlyGrew(known, judge)
}

async function limit(control: Unixctl, news: readonly number[], gone: readonly number[]): Promise<void> {
  for (const zones of parts(news)) await control.call('dpctl/ct-set-limits', ...zones.map((zone) => `zone=${zone},limit=${MOST_OF_A_PORT}`))
  for (const zones of parts(gone)) await control.call('dpctl/ct-del-limits', `zone=${zones.join(',')}`)
}

function parts(zones: readonly number[]): readonly (readonly number[])[] {
  return [...groupBy([...zones.entries()], ([n]) => Math.floor(n / AT_ONCE)).values()].map((part) => part.map(([, zone]) => zone))
}

/** It ended by itself meanwhile. */
function ignoreGone(error: unknown): void {
  if (!/No such file or directory/.test(String(error))) throw error
}
