import type { ExecutionContext } from 'ava'
import { Dealer, Publisher, Router, Subscriber } from 'zeromq'
import { isRecord } from '../../../src/lib/json.ts'
import { createOutbox } from '../../../src/lib/outbox.ts'
import type { Endpoints } from '../../../src/wire/endpoints.ts'

/** What becomes of one message: delays in milliseconds, one for each copy that arrives; an empty list loses it. */
export type Fate = readonly number[]
export type Way = 'pub' | 'request' | 'reply'

export interface BadNetwork {
  /** What agents are to be given as the server's address. */
  readonly rpc: string
  /** Messages seen so far, by type: `hello`, `pull`, `report`, `update`, …, and the scopes that were pulled as `contents` and as `deltas`. */
  readonly counts: Map<string, number>
  fate: (way: Way, type: string) => Fate
}

const SOCKET = { linger: 0, maxMessageSize: -1 } as const

/** Stands between agents and a hub on real sockets, forwards everything, and does to it what `fate` says. The replies to hello name its own endpoints. */
export async function openBadNetwork(t: ExecutionContext, hub: Endpoints): Promise<BadNetwork> {
  const timers = new Set<NodeJS.Timeout>()
  const counts = new Map<string, number>()
  const network: BadNetwork = { rpc: '', counts, fate: () => [0] }
  const front = { pub: new Publisher(SOCKET), rpc: new Router(SOCKET), reports: new Router(SOCKET) }
  const back = { pub: new Subscriber(SOCKET), rpc: new Dealer(SOCKET), reports: new Dealer(SOCKET) }
  for (const socket of Object.values(front)) await socket.bind('tcp://127.0.0.1:*')
  const own = { pub: front.pub.lastEndpoint, rpc: front.rpc.lastEndpoint, reports: front.reports.lastEndpoint }
  back.pub.connect(hub.pub)
  back.pub.subscribe('')
  back.rpc.connect(hub.rpc)
  back.reports.connect(hub.reports)

  function close(): void {
    for (const timer of timers) clearTimeout(timer)
    for (const socket of [...Object.values(front), ...Object.values(back)]) socket.close()
  }

  function later(ms: number, send: () => void): void {
    if (ms === 0) {
      send()
      return
    }
    const timer = setTimeout(() => {
      timers.delete(timer)
      send()
    }, ms)
    timers.add(timer)
  }

  function forward(way: Way, from: AsyncIterable<Buffer[]>, to: { send(frames: Buffer[]): Promise<void> }): void {
    const outbox = createOutbox<Buffer[]>((frames) => to.send(frames), 1_000_000)
    const run = async (): Promise<void> => {
      for await (const frames of from) {
        const seen = look(way, frames)
        for (const delay of network.fate(way, seen.type)) later(delay, () => void outbox.push(seen.frames))
      }
    }
    run().catch(() => undefined)
  }

  function look(way: Way, frames: Buffer[]): { readonly type: string; readonly frames: Buffer[] } {
    const at = way === 'pub' ? 1 : frames.length - 1
    const message: unknown = JSON.parse(frames[at]?.toString() ?? 'null')
    if (!isRecord(message)) return { type: '', frames }
    const type = String(message['type'])
    const add = (name: string, n: number): void => void counts.set(name, (counts.get(name) ?? 0) + n)
    add(`${way} ${type}`, 1)
    for (const list of ['contents', 'deltas']) if (way === 'reply' && Array.isArray(message[list])) add(list, message[list].length)
    if (way !== 'reply' || type !== 'hello') return { type, frames }
    return { type, frames: [...frames.slice(0, at), Buffer.from(JSON.stringify({ ...message, endpoints: own }))] }
  }

  forward('pub', back.pub, front.pub)
  forward('request', front.rpc, back.rpc)
  forward('request', front.reports, back.reports)
  forward('reply', back.rpc, front.rpc)
  forward('reply', back.reports, front.reports)
  t.teardown(close)
  return Object.assign(network, { rpc: own.rpc ?? '' })
}
