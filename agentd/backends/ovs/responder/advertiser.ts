import { toAll } from '../compile/snoop-flows.ts'
import type { PacketOut } from '../openflow/packets.ts'
import { type AdvertBody, advertFrame } from './advert.ts'

/** What routers say of themselves, by the network's number. */
export type Adverts = ReadonlyMap<number, readonly AdvertBody[]>

export interface AdvertiserOptions {
  readonly send: (packet: PacketOut) => void
  /** Between 0 and 1. */
  readonly random: () => number
}

/** Seconds between advertisements that nobody asked for (RFC 4861, 6.2.1). */
const INTERVAL = { least: 200, most: 600 } as const
/** What is new is said more than once: guests may miss one (RFC 4861, 6.2.4). */
const FIRST = { times: 3, pause_s: 5 } as const

interface Said {
  readonly bodies: readonly AdvertBody[]
  /** Seconds, on the clock of `look`. */
  due: number
  /** How many of the first are still to come. */
  left: number
}

/** Says unasked what routers say of themselves: when it is new or another than before, now and then, and once that it is over. */
export class Advertiser {
  readonly #options: AdvertiserOptions
  readonly #said: Map<number, Said> = new Map()

  constructor(options: AdvertiserOptions) {
    this.#options = options
  }

  /** `now`: seconds on a clock that only goes forward. */
  look(adverts: Adverts, now: number): void {
    for (const [network, { bodies }] of this.#said) {
      const still = new Set((adverts.get(network) ?? []).map(routerOf))
      this.#tell(
        network,
        bodies.filter((body) => !still.has(routerOf(body))),
        true,
      )
      if (!adverts.has(network)) this.#said.delete(network)
    }
    for (const [network, bodies] of adverts) {
      const before = this.#said.get(network)
      const said = before !== undefined && isSame(before.bodies, bodies) ? before : { bodies, due: now, left: FIRST.times }
      this.#said.set(network, said)
      if (said.due > now) continue
      this.#tell(network, bodies, false)
      said.left = Math.max(0, said.left - 1)
      said.due = now + (said.left > 0 ? FIRST.pause_s : INTERVAL.least + this.#options.random() * (INTERVAL.most - INTERVAL.least))
    }
  }

  #tell(network: number, bodies: readonly AdvertBody[], over: boolean): void {
    for (const body of bodies) this.#options.send({ packet: advertFrame(body, { over }), actions: toAll(network) })
  }
}

/** By its MAC. */
function routerOf(body: AdvertBody): string {
  return body.subarray(18, 24).toString('hex')
}

function isSame(a: readonly AdvertBody[], b: readonly AdvertBody[]): boolean {
  return a.length === b.length && a.every((body, i) => b[i]?.equals(body) === true)
}
