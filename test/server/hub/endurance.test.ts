import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { Request as RequestSocket } from 'zeromq'
import { createIdentity, type Identity } from '../../../agentd/northbound/identity.ts'
import type { ChildMessage } from './agent-child.ts'
import { openBadNetwork } from './bad-network.ts'
import { HEARTBEAT_MS, ipcEndpoints, isSynced, startAgent, startHub, until } from './fleet.ts'
import { type TestKeys, testKeys } from './test-keys.ts'
import { nextWorld, world } from './worlds.ts'

/** Runs one agent, with keys, in a process of its own; what it sees arrives as messages. */
function startChild(
  t: ExecutionContext,
  keys: TestKeys,
  host: string,
  server: string,
): { readonly process: ChildProcess; readonly seen: ChildMessage[] } {
  const child = fork(fileURLToPath(new URL('./agent-child.js', import.meta.url)), [
    host,
    server,
    ...[host, `${host}-watch`].map((h) => JSON.stringify(keys.of(h))),
  ])
  const seen: ChildMessage[] = []
  child.on('message', (message) => seen.push(message as ChildMessage))
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  return { process: child, seen }
}

function revisions(seen: readonly ChildMessage[]): number[] {
  return seen.flatMap((m) => (m.type === 'target' ? [m.revision] : []))
}

test('3,000 scopes across a restart of the server: agents keep everything and agree by digest, nothing is pulled', async (t) => {
  const endpoints = await ipcEndpoints()
  t.teardown(() => endpoints.remove())
  const scopes = Array.from({ length: 3000 }, (_, i) => `net/n${i}`)
  const hosts = ['h0', 'h1', 'h2', 'h3']
  const w = world(Object.fromEntries(scopes.map((s, i) => [s, { a: i, b: i + 1 }])), Object.fromEntries(hosts.map((h) => [h, scopes])))
  const hub = await startHub(t, { endpoints })
  hub.restore(7, w, [])
  const network = await openBadNetwork(t, hub.endpoints)
  const agents = hosts.map((host) => startAgent(t, { server: network.rpc, host }))
  await until('all hold 3,000 scopes', () => agents.every((a) => isSynced(hub, a)))
  const held = agents.map((a) => a.offers.at(-1))
  await hub.close()
  network.counts.clear()
  const again = await startHub(t, { endpoints })
  await until('the restarted server has been asked', () => (network.counts.get('reply refused') ?? 0) > 0)
  again.restore(8, nextWorld(w, {}), hosts)
  await until('all have found it', () => agents.every((a) => isSynced(again, a) && a.northbound.status().state === 'synced'))
  t.is((network.counts.get('contents') ?? 0) + (network.counts.get('deltas') ?? 0), 0)
  t.log(`${network.counts.get('request pull') ?? 0} pulls, all empty`)
  t.deepEqual(
    agents.map((a) => a.offers.length),
    [1, 1, 1, 1],
  )
  // One scope changes, one goes, one comes: only that travels, and all the rest keeps its identity.
  const next = nextWorld(w, { 'net/n5': { a: 5, b: 60_000 }, 'net/new': { x: 1 } }, { h0: [...scopes.slice(1), 'net/new'] })
  again.publish(9, next)
  await until('all are at 9', () => agents.every((a) => isSynced(again, a)))
  const after = agents[0]?.offers.at(-1)
  t.is(after?.scopes.size, 3000)
  t.is([...(after?.scopes ?? [])].filter(([scope, s]) => held[0]?.scopes.get(scope) === s).length, 2998)
})

test('an agent that is stopped for a while is at the newest revision when it goes on', async (t) => {
  const keys = testKeys()
  const hub = await startHub(t, { security: keys.security })
  hub.setKeys(keys.list(['h1', 'h1-watch']))
  let current = world({ fabric: { e: 1 }, 'host/h1': { p: 1 } }, { h1: ['fabric', 'host/h1'], 'h1-watch': ['fabric'] })
  hub.restore(1, current, [])
  const child = startChild(t, keys, 'h1', hub.endpoints.rpc)
  await until('the child is at 1', () => revisions(child.seen).includes(1))
  child.process.kill('SIGSTOP')
  // Longer than ZMTP's and our own heartbeats forgive: both ends give the connection up.
  for (let revision = 2; revision <= 6; revision++) {
    await sleep(HEARTBEAT_MS * 2)
    hub.publish(revision, (current = nextWorld(current, { 'host/h1': { p: revision } })))
  }
  t.deepEqual(revisions(child.seen), [1])
  child.process.kill('SIGCONT')
  await until('the child is at 6', () => revisions(child.seen).at(-1) === 6)
  hub.publish(7, nextWorld(current, { 'host/h1': { p: 7 } }))
  await until('the child is at 7', () => revisions(child.seen).at(-1) === 7)
})

test('a server whose main thread is busy, and which is under a storm of pulls, still sends heartbeats and answers reports', async (t) => {
  const keys = testKeys()
  const hub = await startHub(t, { security: keys.security })
  const many = Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`p${i}`, i]))
  const nets = Array.from({ length: 8 }, (_, i) => `net/n${i}`)
  const storm = Array.from({ length: 40 }, (_, i) => `storm${i}`)
  hub.setKeys(keys.list(['h1', 'h1-watch', ...storm]))
  hub.restore(
    1,
    world(
      { ...Object.fromEntries(nets.map((n) => [n, many])), 'host/h1': { p: 1 } },
      { h1: ['host/h1'], 'h1-watch': [], ...Object.fromEntries(storm.map((h) => [h, nets])) },
    ),
    [],
  )
  const child = startChild(t, keys, 'h1', hub.endpoints.rpc)
  await until('the child is at 1', () => revisions(child.seen).includes(1))
  const pullers = storm.map((host) => pull(hub.endpoints.rpc, createIdentity(host, keys.of(host), Date.now), host, nets))
  const from = Date.now()
  let answered = 0
  const running = pullers.map(async (p) => {
    while (Date.now() - from < 1500 || answered === 0) {
      const n = await p.once()
      answered += n
    }
    p.close()
  })
  await sleep(300)
  const blockedFrom = Date.now()
  while (Date.now() - blockedFrom < 20 * HEARTBEAT_MS) {
    // A plan that does not let go of the loop.
  }
  const blockedTo = Date.now()
  await Promise.all(running)
  await until('the child has told what it saw meanwhile', () =>
    child.seen.some((m) => (m.type === 'heartbeat' || m.type === 'report reply') && m.at > blockedTo),
  )
  const during = child.seen
    .filter((m) => (m.type === 'heartbeat' || m.type === 'report reply') && m.at > blockedFrom && m.at < blockedTo)
    .map((m) => m.type)
  const heartbeats = during.filter((type) => type === 'heartbeat').length
  const replies = during.filter((type) => type === 'report reply').length
  t.log(
    `${answered} pulls answered; with the main thread blocked for ${blockedTo - blockedFrom} ms: ${heartbeats} heartbeats, ${replies} replies to reports`,
  )
  // Of 20 each; a loaded machine may lose some of its own time, but a queue behind the blocked thread would let none through.
  t.true(answered > 0 && heartbeats >= 5 && replies >= 5)
})

function pull(endpoint: string, identity: Identity, host: string, scopes: readonly string[]): { once(): Promise<number>; close(): void } {
  const socket = new RequestSocket({ linger: 0, relaxed: true, correlate: true, receiveTimeout: 5000, ...identity.curve })
  socket.connect(endpoint)
  const request = Buffer.from(JSON.stringify({ v: 1, type: 'pull', id: 'x', host, scopes: scopes.map((scope) => ({ scope })) }))
  return {
    async once() {
      await socket.send([identity.signers.rpc.sign(request), request])
      // With heartbeats of 100 ms a busy machine loses connections, and answers with them: an agent asks again, and so does this.
      const [frame] = await socket.receive().catch(() => [])
      return (frame?.byteLength ?? 0) > 100_000 ? 1 : 0
    },
    close: () => socket.close(),
  }
}

test('a process with a hub under way ends as it wants to: by exit, by close, by an uncaught error; never by a corrupted heap', (t) => {
  const child = fileURLToPath(new URL('./hub-child.js', import.meta.url))
  for (const [how, code] of [
    ['exit', 7],
    ['close', 7],
    ['throw', 1],
  ] as const) {
    const { status, signal, stderr } = spawnSync(process.execPath, [child, how], { encoding: 'utf8', timeout: 60_000 })
    t.deepEqual([how, status, signal], [how, code, null], stderr)
  }
})

test('an agent that starts long before its server says so once, and converges when the server comes', async (t) => {
  const endpoints = await ipcEndpoints()
  t.teardown(() => endpoints.remove())
  const agent = startAgent(t, { server: endpoints.rpc, host: 'h1' })
  await until('it has noticed', () => agent.log.length > 0)
  await sleep(1500)
  const hub = await startHub(t, { endpoints })
  hub.restore(3, world({ fabric: { e: 1 } }, { h1: ['fabric'] }), [])
  await until('synced', () => isSynced(hub, agent))
  t.regex(agent.log[0] ?? '', /^warn server away: no connection to ipc:/)
  t.is(agent.log.at(-1), 'info at revision 3')
  t.true(agent.log.length <= 3, agent.log.join('\n'))
})

test('a host restores its saved set with no server at all, and says that it is alone', async (t) => {
  const endpoints = await ipcEndpoints()
  t.teardown(() => endpoints.remove())
  const w = world({ fabric: { e: 1 } }, { h1: ['fabric'] })
  const hub = await startHub(t, { endpoints })
  hub.restore(3, w, [])
  const first = startAgent(t, { server: endpoints.rpc, host: 'h1' })
  await until('synced', () => isSynced(hub, first))
  const saved = first.offers[0]
  await first.close()
  await hub.close()
  if (saved === undefined) return t.fail()
  const second = startAgent(t, { server: endpoints.rpc, host: 'h1', saved })
  t.deepEqual([second.offers[0]?.source, second.offers[0]?.revision], ['saved', 3])
  await until('it has noticed', () => second.log.length > 0)
  t.is(second.northbound.status().state, 'offline')
  const again = await startHub(t, { endpoints })
  again.restore(4, nextWorld(w, {}), [])
  await until('synced', () => isSynced(again, second))
  t.is(second.offers.length, 1)
})
