import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import type { TargetSet } from '../../../agentd/northbound/feed-core.ts'
import { type Northbound, openNorthbound } from '../../../agentd/northbound/northbound.ts'
import { type Hub, openHub } from '../../../src/server/hub/hub.ts'
import type { Report } from '../../../src/wire/messages.ts'
import { nextWorld, world } from './worlds.ts'

const LOCAL = { pub: 'tcp://127.0.0.1:*', rpc: 'tcp://127.0.0.1:*', reports: 'tcp://127.0.0.1:*' }

function agent(hub: Hub, host: string, onTarget: (t: TargetSet, self: Northbound) => void, log: string[] = []): Northbound {
  const self: Northbound = openNorthbound({
    host,
    server: hub.endpoints.rpc,
    version: 'test',
    saved: undefined,
    stateFile: { saveSet: () => Promise.resolve() },
    log: (level, message) => log.push(`${level} ${message}`),
    onTarget: (target) => onTarget(target, self),
    answer: (question) => Promise.resolve({ asked: question.what }),
    timing: { requestMs: 500, backoff: { first: 20, max: 200, factor: 2, jitter: 0.5 } },
  })
  return self
}

test('an agent that was there first converges, follows a revision, and reports', async (t) => {
  const reports: Report[] = []
  const hub = await openHub(
    { endpoints: LOCAL, installation: 'i', heartbeatMs: 100, security: { mode: 'local-only' } },
    {
      onHello: () => undefined,
      onReport: async (report) => void reports.push(report),
      onFault: (e) => t.fail(String(e)),
      warn: (m) => t.log(m),
    },
  )
  const seen: { target: TargetSet; at: number }[] = []
  const log: string[] = []
  const nb = agent(
    hub,
    'h1',
    (target, self) => {
      seen.push({ target, at: performance.now() })
      self.converged({
        revision: target.revision,
        converged: true,
        statuses: new Map(),
        drift: [],
        facts: {},
        allocations: {},
        timings: {},
      })
    },
    log,
  )
  await sleep(150)
  const w1 = world({ fabric: { h1: 1 }, 'host/h1': { p1: 1 } }, { h1: ['fabric', 'host/h1'] })
  hub.restore(41, w1, [])
  await sleep(500)
  t.is(seen.length, 1)
  t.is(seen[0]?.target.revision, 41)
  const w2 = nextWorld(w1, { 'host/h1': { p1: 1, p2: 2 } })
  for (let i = 0; i < 20; i++) {
    const began = performance.now()
    const before = seen.length
    hub.publish(42 + i, i % 2 === 0 ? w2 : w1)
    while (seen.length === before) await sleep(0)
    t.log('latency', (seen.at(-1)?.at ?? 0) - began)
    await sleep(20)
  }
  const answer = await hub.ask('h1', { what: 'flows' }, 1000)
  t.deepEqual(answer, { ok: true, data: { asked: 'flows' } })
  await sleep(100)
  t.true(reports.at(-1)?.converged)
  t.log(log, reports.length, nb.status())
  await nb.close()
  await hub.close()
})
