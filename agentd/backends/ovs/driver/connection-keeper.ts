import type { DriverOptions } from '../../backend.ts'
import { type Connection, isAllowed, type Judge, onlyGrew } from '../compile/connections.ts'
import { canBeEnded, connectionTuple, readConnections } from './conntrack.ts'
import { connectVswitchd } from './vswitchd.ts'

/**
 * Ends what the rules allow no more. Flows refuse the frames of such a connection from the side that began it; until that side speaks, answers would still pass. So once the flows stand,
 * the connections of ports whose rules lost something are looked through, and those that no rule would let in are forgotten, one by one: Open vSwitch cannot forget by mark, and
 * forgetting a whole zone would cut what is allowed.
 */
export class ConnectionKeeper {
  readonly #options: DriverOptions
  /** By zone. Undefined: nothing is known of what was there before this process. */
  #judged: ReadonlyMap<number, Judge> | undefined

  constructor(options: DriverOptions) {
    this.#options = options
  }

  /** Costs nothing where nothing was taken away. Rejects when vswitchd cannot be asked; the next call looks again. */
  async settle(judges: readonly Judge[], freed: readonly number[]): Promise<void> {
    const next = new Map(judges.map((judge) => [judge.zone, judge]))
    const before = this.#judged
    const narrowed = new Set(judges.filter((judge) => hasLost(before, judge)).map((judge) => judge.zone))
    const left = before === undefined ? freed : [...before.keys()]
    const gone = left.filter((zone) => !next.has(zone))
    if (narrowed.size > 0 || gone.length > 0) await this.#end(next, narrowed, gone)
    this.#judged = next
  }

  async #end(judges: ReadonlyMap<number, Judge>, narrowed: ReadonlySet<number>, left: readonly number[]): Promise<void> {
    const control = await connectVswitchd(this.#options.rundir)
    try {
      for (const zone of left) await control.call('dpctl/flush-conntrack', `zone=${zone}`)
      const kept = narrowed.size === 0 ? [] : readConnections(await control.call('dpctl/dump-conntrack'))
      const ended = kept.filter((c) => narrowed.has(c.zone) && isOver(c, judges.get(c.zone)))
      for (const connection of ended)
        await control.call('dpctl/flush-conntrack', `zone=${connection.zone}`, connectionTuple(connection)).catch(ignoreGone)
      if (ended.length > 0) this.#options.log('info', 'connections ended that no rule allows any more', { connections: ended.length })
    } finally {
      control.close()
    }
  }
}

function hasLost(before: ReadonlyMap<number, Judge> | undefined, judge: Judge): boolean {
  const known = before?.get(judge.zone)
  // A zone that is new to a driver which knows the others had no port, so it has no connection.
  if (known === undefined) return before === undefined
  return known.port !== judge.port || !onlyGrew(known, judge)
}

function isOver(connection: Connection, judge: Judge | undefined): boolean {
  return judge !== undefined && canBeEnded(connection) && !isAllowed(judge, connection)
}

/** It ended by itself meanwhile. */
function ignoreGone(error: unknown): void {
  if (!/No such file or directory/.test(String(error))) throw error
}
