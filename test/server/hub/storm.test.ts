import test from 'ava'
import { context } from 'zeromq'
import { createGreeter } from '../../../src/server/hub/greeter.ts'
import type { FromClerk } from '../../../src/server/hub/rpc-protocol.ts'
import type { Hello, HelloReply, Refusal } from '../../../src/wire/messages.ts'
import { ipcEndpoints, isSynced, startAgent, startHub, until } from './fleet.ts'
import { nextWorld, world } from './worlds.ts'

context.maxSockets = 8192

function hello(host: string, speaks?: Hello['speaks']): Hello {
  return { v: 1, type: 'hello', id: 'x', host, epoch: 'e', version: 't', ...(speaks === undefined ? {} : { speaks }) }
}

test('while the main thread answers nothing, no more than 64 hellos wait for it; the others are told to come again', (t) => {
  const told: FromClerk[] = []
  const answers: { readonly reply: HelloReply | Refusal; readonly version: number }[] = []
  let now = 0
  const greeter = createGreeter<string>({
    clerks: 1,
    hosts: () => 1000,
    now: () => now,
    tell: (m) => void told.push(m),
    answer: (_, reply, version) => void answers.push({ reply, version }),
  })
  for (let i = 0; i < 1000; i++) {
    greeter.greet('', hello(`h${i}`, { min: 1, max: 2 }))
    now += 10
  }
  t.is(told.length, 64)
  t.is(answers.length, 936)
  t.true(
    answers.every(
      ({ reply, version }) => reply.type === 'refused' && reply.code === 'busy' && reply.retry_after_ms === 500 && version === 2,
    ),
  )
  // Each answer of the main thread makes room for one more.
  const [first] = told
  if (first?.type !== 'hello') return t.fail()
  const server = { installation: '', endpoints: { pub: '', rpc: '', reports: '' }, heartbeat_ms: 1000 }
  greeter.greeted(first.id, { v: 2, id: 'x', type: 'hello', epoch: 's', seq: 1, revision: 1, digest: '', ...server })
  const last = answers.at(-1)?.reply
  t.is(last?.type === 'hello' && last.spread_ms, 2000)
  greeter.greet('', hello('h999'))
  t.is(told.length, 65)
})

test('300 agents whose server is started again, and reads its state for a while: all are back, each after a hello or two, and nothing is pulled twice', async (t) => {
  t.timeout(150_000)
  const endpoints = await ipcEndpoints()
  t.teardown(() => endpoints.remove())
  const hosts = Array.from({ length: 300 }, (_, i) => `h${i}`)
  const first = world({ fabric: { e: 1 } }, Object.fromEntries(hosts.map((h) => [h, ['fabric', `host/${h}`]])))
  const hub = await startHub(t, { endpoints, heartbeatMs: 1000 })
  hub.restore(1, first, hosts)
  const agents = hosts.map((host) => startAgent(t, { server: endpoints.rpc, host, requestMs: 20_000 }))
  await until('at 1', () => agents.every((a) => isSynced(hub, a)), 120_000)
  await hub.close()
  let hellos = 0
  const again = await startHub(t, { endpoints, heartbeatMs: 1000 }, { onHello: () => void hellos++ })
  const began = performance.now()
  // Heartbeats of the next life are heard, and nobody can be told anything yet.
  await new Promise((resolve) => setTimeout(resolve, 2500))
  t.is(hellos, 0)
  again.restore(2, nextWorld(first, { fabric: { e: 2 } }), hosts)
  await until('at 2', () => agents.every((a) => isSynced(again, a)), 120_000)
  t.log(`${hellos} hellos; all at the next revision ${Math.round(performance.now() - began)} ms after the start`)
  t.true(hellos >= 300 && hellos <= 450, String(hellos))
  t.true(agents.every((a) => a.offers.length === 2))
})
