import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { Request as RequestSocket, Subscriber } from 'zeromq'
import { isRecord } from '../../../src/lib/json.ts'
import type { Hub } from '../../../src/server/hub/hub.ts'
import { hostTopic, type Reply, type Speaks } from '../../../src/wire/messages.ts'
import { commonVersion, inVersion } from '../../../src/wire/versions.ts'
import type { ChildMessage } from './agent-child.ts'
import { ipcEndpoints, isSynced, startAgent, startHub, until } from './fleet.ts'
import { testKeys } from './test-keys.ts'
import { nextWorld, world } from './worlds.ts'

const ONE = world({ fabric: { e: 1 }, 'host/h1': { p: 1 } }, { h1: ['fabric', 'host/h1'] })

/* Frames as the release before wire version 2 sent them. */
const HELLO_1 = '{"v":1,"id":"0d9f0a0e","host":"h1","type":"hello","epoch":"64b0","version":"0.1.0"}'
const PULL_1 = '{"v":1,"id":"7c11","host":"h1","type":"pull","scopes":[{"scope":"fabric"},{"scope":"host/h1"}]}'
const REPORT_1 =
  '{"v":1,"type":"report","id":"a2","host":"h1","epoch":"64b0","revision":0,"digest":"00000000000000000000000000000000","converged":false,"full":true,"objects":[],"gone":[],"facts":{},"allocations":{},"timings":{}}'

async function send(endpoint: string, frame: string): Promise<Record<string, unknown>> {
  const socket = new RequestSocket({ linger: 0, receiveTimeout: 20_000 })
  socket.connect(endpoint)
  try {
    await socket.send(frame)
    const [answer] = await socket.receive()
    const value: unknown = JSON.parse(String(answer))
    return isRecord(value) ? value : {}
  } finally {
    socket.close()
  }
}

/** Past the moment in which what `restore` set is on its way to the threads. */
async function answered(endpoint: string, frame: string): Promise<Record<string, unknown>> {
  for (;;) {
    const reply = await send(endpoint, frame)
    if (reply['code'] !== 'not-ready') return reply
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('the newest version both speak is chosen', (t) => {
  t.is(commonVersion({ min: 1, max: 3 }, { min: 2, max: 5 }), 3)
  t.is(commonVersion({ min: 1, max: 1 }, { min: 1, max: 2 }), 1)
  t.is(commonVersion({ min: 3, max: 4 }, { min: 1, max: 2 }), undefined)
})

test('recorded frames of version 1 are answered in version 1, without a member that came later; what is published for that host too', async (t) => {
  const hub = await startHub(t)
  const heard = new Subscriber({ linger: 0 })
  heard.connect(hub.endpoints.pub)
  heard.subscribe('')
  t.teardown(() => heard.close())
  hub.restore(1, ONE, [])
  const members = (reply: Record<string, unknown>): unknown => [reply['v'], ...Object.keys(reply).sort()]
  t.deepEqual(members(await answered(hub.endpoints.rpc, HELLO_1)), [
    ...[1, 'digest', 'endpoints', 'epoch', 'heartbeat_ms', 'id', 'installation', 'revision', 'seq', 'type', 'v'],
  ])
  t.deepEqual(members(await answered(hub.endpoints.rpc, PULL_1)), [
    ...[1, 'contents', 'deltas', 'epoch', 'id', 'more', 'needs', 'revision', 'seq', 'type', 'v'],
  ])
  t.deepEqual(members(await answered(hub.endpoints.reports, REPORT_1)), [
    ...[1, 'digest', 'epoch', 'id', 'revision', 'seq', 'type', 'v', 'want_full'],
  ])
  t.deepEqual(await nextVersions(hub, heard, 2), { update: 1, heartbeat: 1 })
  const both = await answered(hub.endpoints.rpc, HELLO_1.replace('"version"', '"speaks":{"min":1,"max":7},"version"'))
  t.deepEqual([both['v'], typeof both['spread_ms']], [2, 'number'])
  t.deepEqual(await nextVersions(hub, heard, 3), { update: 2, heartbeat: 1 })
})

async function nextVersions(hub: Hub, heard: Subscriber, revision: number): Promise<Record<string, unknown>> {
  await heard.receive()
  hub.publish(revision, nextWorld(ONE, { 'host/h1': { p: revision } }))
  const seen: Record<string, unknown> = {}
  for await (const [topic, header] of heard) {
    const { v, revision: told } = JSON.parse(String(header)) as Record<string, unknown>
    if (String(topic) === hostTopic('h1')) seen['update'] = v
    else if (told === revision) seen['heartbeat'] = v
    if (Object.keys(seen).length === 2) return seen
  }
  return seen
}

test('what a server says only since version 2 is said to an older agent in the words there were', (t) => {
  const busy: Reply = { v: 2, id: 'x', type: 'refused', code: 'busy', message: 'm', retry_after_ms: 7 }
  t.deepEqual(inVersion(busy, 1), { v: 1, id: 'x', type: 'refused', code: 'not-ready', message: 'm' })
  t.deepEqual(inVersion(busy, 2), busy)
})

function startOld(
  t: ExecutionContext,
  hub: Hub,
  host: string,
  speaks: Speaks,
): { readonly process: ChildProcess; readonly seen: ChildMessage[] } {
  const program = fileURLToPath(new URL('./agent-child.js', import.meta.url))
  const keys = KEYS
  const own = [host, `${host}-watch`].map((h) => JSON.stringify(keys.of(h)))
  const child = fork(program, [host, hub.endpoints.rpc, ...own, JSON.stringify(speaks)])
  const seen: ChildMessage[] = []
  child.on('message', (message) => seen.push(message as ChildMessage))
  t.teardown(() => child.kill('SIGKILL'))
  return { process: child, seen }
}

const KEYS = testKeys()

test('an agent process one version older is served, by publication and by pull, beside new ones, across a restart of the server', async (t) => {
  const endpoints = await ipcEndpoints()
  t.teardown(() => endpoints.remove())
  const hub = await startHub(t, { endpoints, security: KEYS.security, heartbeatMs: 500 })
  hub.setKeys(KEYS.list(['h1', 'h1-watch', 'h2']))
  const first = world({ fabric: { e: 1 }, 'host/h1': { p: 1 } }, { h1: ['fabric', 'host/h1'], h2: ['fabric'], 'h1-watch': [] })
  hub.restore(1, first, [])
  const old = startOld(t, hub, 'h1', { min: 1, max: 1 })
  const young = startAgent(t, { server: hub.endpoints.rpc, host: 'h2', keys: KEYS.of('h2') })
  const at = (): number | undefined => old.seen.flatMap((m) => (m.type === 'target' ? [m.revision] : [])).at(-1)
  await until('both are at 1', () => at() === 1 && isSynced(hub, young))
  // A delta that is published, and one that is too large for that.
  hub.publish(2, nextWorld(first, { fabric: { e: 2 } }))
  await until('both are at 2', () => at() === 2 && isSynced(hub, young))
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`p${i}`, i]))
  hub.publish(3, nextWorld(first, { fabric: many }))
  await until('both are at 3', () => at() === 3 && isSynced(hub, young))
  await hub.close()
  const again = await startHub(t, { endpoints, security: KEYS.security, heartbeatMs: 500 })
  again.setKeys(KEYS.list(['h1', 'h1-watch', 'h2']))
  const fourth = nextWorld(first, { fabric: { e: 4 } })
  again.restore(4, fourth, ['h1', 'h2'])
  await until('both are at 4', () => at() === 4 && isSynced(again, young))
  again.publish(5, nextWorld(fourth, { fabric: { e: 5 } }))
  await until('both are at 5', () => at() === 5 && isSynced(again, young))
  t.deepEqual(
    old.seen.flatMap((m) => (m.type === 'log' && m.message.includes('dropped') ? [m.message] : [])),
    [],
  )
})

test('an agent that speaks no version of the server’s is refused with both named, keeps what it holds, and says so', async (t) => {
  const hub = await startHub(t, { heartbeatMs: 500 })
  hub.restore(1, ONE, [])
  const before = startAgent(t, { server: hub.endpoints.rpc, host: 'h1' })
  await until('at 1', () => isSynced(hub, before))
  const [saved] = before.offers
  await before.close()
  if (saved === undefined) return t.fail()
  hub.publish(2, nextWorld(ONE, { fabric: { e: 2 } }))
  const older = startAgent(t, { server: hub.endpoints.rpc, host: 'h1', saved, speaks: { min: 0, max: 0 } })
  await until('refused', () => older.log.length > 0)
  const words = 'wire version 0, this side speaks 1 to 2: bring both to the same release'
  t.deepEqual(older.log, [`warn the server answered: ${words}; this host stays as it is`])
  t.deepEqual(
    older.offers.map((o) => [o.source, o.revision, o.scopes.size]),
    [['saved', 1, 2]],
  )
})
