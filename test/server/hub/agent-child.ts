import { Subscriber } from 'zeromq'
import { createIdentity, type HostKeys } from '../../../agentd/northbound/identity.ts'
import { type Northbound, openNorthbound } from '../../../agentd/northbound/northbound.ts'
import { openRequester } from '../../../agentd/northbound/requester.ts'
import { HEARTBEAT_TOPIC, type Speaks } from '../../../src/wire/messages.ts'

/* One agent in a process of its own (see endurance.test.ts): tells its parent what it is offered, and each heartbeat and reply to a report with its time. */

export type ChildMessage =
  | { readonly type: 'target'; readonly revision: number }
  | { readonly type: 'log'; readonly message: string }
  | { readonly type: 'heartbeat' | 'report reply'; readonly at: number }

const [host = '', server = '', own = '', watchers = '', speaks] = process.argv.slice(2)
const keysOf = (json: string): HostKeys => JSON.parse(json) as HostKeys

function tell(message: ChildMessage): void {
  process.send?.(message)
}

const northbound: Northbound = openNorthbound({
  host,
  server,
  version: 'test',
  keys: keysOf(own),
  saved: undefined,
  stateFile: { saveSet: () => Promise.resolve() },
  log: (level, message) => {
    if (level !== 'debug') tell({ type: 'log', message })
  },
  ...(speaks === undefined ? {} : { speaks: JSON.parse(speaks) as Speaks }),
  onTarget(target) {
    tell({ type: 'target', revision: target.revision })
    setImmediate(() =>
      northbound.converged({
        revision: target.revision,
        converged: true,
        statuses: new Map(),
        drift: [],
        facts: {},
        allocations: {},
        timings: {},
      }),
    )
  },
  answer: () => Promise.resolve({}),
  timing: { requestMs: 1000, backoff: { first: 20, max: 300, factor: 2, jitter: 0.5 } },
})

/** Watches both ways that must never be starved, beside the agent and as a host of its own: heartbeats, and the answers to reports sent all the time. */
async function watch(): Promise<void> {
  const name = `${host}-watch`
  const identity = createIdentity(name, keysOf(watchers), Date.now)
  const rpc = openRequester(server, 5000, { identity, door: 'rpc' })
  const reply = await rpc.request({ v: 1, type: 'hello', id: 'watch', host: name, epoch: 'watch', version: 'test' })
  rpc.close()
  if (reply.type !== 'hello') throw new Error('no hello')
  const heartbeats = new Subscriber({ linger: 0, ...identity.curve })
  heartbeats.connect(reply.endpoints.pub)
  heartbeats.subscribe(HEARTBEAT_TOPIC)
  const listen = async (): Promise<void> => {
    for await (const _ of heartbeats) tell({ type: 'heartbeat', at: Date.now() })
  }
  void listen()
  const reports = openRequester(reply.endpoints.reports, 5000, { identity, door: 'reports' })
  for (let i = 0; ; i++) {
    const body = { revision: 0, digest: '0'.repeat(32), converged: false, full: true, objects: [], gone: [] }
    await reports.request({ v: 1, type: 'report', id: `watch ${i}`, host: name, epoch: 'watch', ...body })
    tell({ type: 'report reply', at: Date.now() })
    await new Promise((resolve) => setTimeout(resolve, reply.heartbeat_ms))
  }
}

watch().catch(() => undefined)
process.once('disconnect', () => process.exit(0))
