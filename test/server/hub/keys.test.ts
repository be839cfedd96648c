import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import { Dealer, Request as RequestSocket, Subscriber } from 'zeromq'
import type { HostKeys } from '../../../agentd/northbound/identity.ts'
import type { Hub } from '../../../src/server/hub/hub.ts'
import type { Refused } from '../../../src/server/hub/refusals.ts'
import { decodeReply, encode } from '../../../src/wire/codec.ts'
import { type KeyPair, makeKeyPair, sharedKeys } from '../../../src/wire/keys.ts'
import { type Hello, MAX_MESSAGE, MAX_REQUEST, type Pull, type Reply, type Request, WIRE_VERSION } from '../../../src/wire/messages.ts'
import { type Door, signatureFrame } from '../../../src/wire/signature.ts'
import { curveClientOptions } from '../../../src/wire/transport.ts'
import { isSynced, LOCAL, startAgent, startHub, type Teardown, until } from './fleet.ts'
import { testKeys } from './test-keys.ts'
import { nextWorld, world } from './worlds.ts'

/*
 * A hub with keys on, real agents that have theirs, and everybody who should not get in. Heartbeats are slower than in other tests: what is published is a hint that a broken connection
 * loses, and here it is the thing looked at.
 */

const ONE = world(
  { fabric: { e: 1 }, 'host/h1': { p1: 1 }, 'host/h2': { p2: 2 }, 'net/secret': { x: 1 } },
  { h1: ['fabric', 'host/h1'], h2: ['fabric', 'host/h2', 'net/secret'] },
)

interface Fort {
  readonly hub: Hub
  readonly server: KeyPair
  /** What was told as it is told to the log. */
  readonly told: readonly Refused[]
  keysOf(host: string): HostKeys
  /** The allow-list; without a host it is expelled. */
  allow(...hosts: readonly string[]): void
  count(reason: string, host: string): number
}

async function fort(t: Teardown, hosts: readonly string[] = ['h1', 'h2']): Promise<Fort> {
  const told: Refused[] = []
  const keys = testKeys()
  const hub = await startHub(t, { security: keys.security, heartbeatMs: 1000 }, { onRefused: (r) => void told.push(r) })
  hub.setKeys(keys.list(hosts))
  hub.restore(1, ONE, [])
  return {
    hub,
    server: keys.server,
    told,
    keysOf: keys.of,
    allow: (...names) => hub.setKeys(keys.list(names)),
    count: (reason, host) => hub.refused().find((r) => r.reason === reason && r.host === host)?.count ?? 0,
  }
}

/** An encrypted connection with a host's key, through which a test sends what it likes. */
function connect(t: Teardown, f: Fort, keys: KeyPair, door: Door = 'rpc'): { send(frames: (string | Uint8Array)[]): Promise<Reply> } {
  const socket = new RequestSocket({ linger: 0, receiveTimeout: 5000, ...curveClientOptions(keys, f.server.publicKey) })
  socket.connect(f.hub.endpoints[door])
  t.teardown(() => socket.close())
  return {
    async send(frames) {
      await socket.send(frames)
      const [frame] = await socket.receive()
      const decoded = decodeReply(frame ?? Buffer.alloc(0))
      if (!decoded.ok) throw new Error(decoded.refusal.message)
      return decoded.message
    },
  }
}

function signed(f: Fort, host: string, message: object, count = Date.now() * 1000, door: Door = 'rpc'): (string | Uint8Array)[] {
  const payload = Buffer.from(JSON.stringify(message))
  const key = sharedKeys(f.keysOf(host), f.server.publicKey)?.sign ?? Buffer.alloc(32)
  return [signatureFrame(key, door, { host, count }, payload), payload]
}

function hello(host: string): Hello {
  return { v: WIRE_VERSION, type: 'hello', id: randomUUID(), host, epoch: 'e', version: 'test' }
}

function pull(host: string, ...scopes: readonly string[]): Pull {
  return { v: WIRE_VERSION, type: 'pull', id: randomUUID(), host, scopes: scopes.map((scope) => ({ scope: scope as never })) }
}

/** Everything that is published, as a host's key lets it be heard. */
function listen(t: Teardown, f: Fort, host: string): readonly string[] {
  const heard: string[] = []
  const socket = new Subscriber({ linger: 0, ...curveClientOptions(f.keysOf(host), f.server.publicKey) })
  t.teardown(() => socket.close())
  socket.connect(f.hub.endpoints.pub)
  socket.subscribe('')
  const read = async (): Promise<void> => {
    for await (const frames of socket) heard.push(frames.map(String).join(' '))
  }
  read().catch(() => undefined)
  return heard
}

const codeOf = (reply: Reply): string => (reply.type === 'refused' ? reply.code : reply.type)

test('with keys an agent converges, follows a revision by PUB alone, answers a question, and nothing is refused', async (t) => {
  const f = await fort(t)
  const agents = ['h1', 'h2'].map((host) => startAgent(t, { server: f.hub.endpoints.rpc, host, keys: f.keysOf(host) }))
  await until('at 1', () => agents.every((a) => isSynced(f.hub, a)))
  f.hub.publish(2, nextWorld(ONE, { fabric: { e: 2 }, 'host/h1': { p1: 1, p3: 3 } }))
  await until('at 2', () => agents.every((a) => isSynced(f.hub, a)))
  t.deepEqual(await f.hub.ask('h1', { what: 'flows' }, 5000), { ok: true, data: { asked: 'flows' } })
  t.deepEqual(f.hub.refused(), [])
})

test('what is published for one host is read by nobody else that is let in', async (t) => {
  const f = await fort(t)
  const agent = startAgent(t, { server: f.hub.endpoints.rpc, host: 'h2', keys: f.keysOf('h2') })
  const seen = listen(t, f, 'h1')
  await until('synced and listening', () => isSynced(f.hub, agent) && seen.length > 0)
  f.hub.publish(2, nextWorld(ONE, { 'net/secret': { x: 7, 'a-name-to-be-kept': 8 } }))
  await until('the update was seen', () => isSynced(f.hub, agent) && seen.some((s) => s.startsWith('host/h2/')))
  t.false(seen.some((s) => s.includes('net/secret') || s.includes('a-name-to-be-kept') || s.includes('location')))
  t.is(agent.offers.length, 2)
})

test('a host pulls the scopes on its own list, and only as itself', async (t) => {
  const f = await fort(t)
  const c = connect(t, f, f.keysOf('h1'))
  const own = await c.send(signed(f, 'h1', pull('h1', 'host/h1', 'net/secret', 'host/h2', 'fabric')))
  t.deepEqual(own.type === 'pull' && own.contents.map((x) => String(x.scope)).sort(), ['fabric', 'host/h1'])
  t.deepEqual(own.type === 'pull' && Object.keys(own.needs).sort(), ['fabric', 'host/h1'])
  // As h2 over h1's connection: signed with h1's key as h1, then as h2.
  t.is(codeOf(await c.send(signed(f, 'h1', pull('h2', 'host/h2')))), 'not-yours')
  const [asOne = '', payload = ''] = signed(f, 'h1', pull('h2', 'host/h2'))
  t.is(codeOf(await c.send([String(asOne).replace('h1', 'h2'), payload])), 'signature')
  await until('both were counted', () => f.count('not-yours', 'h1') === 1 && f.count('signature', 'h2') === 1)
})

test('a request that was there before is refused and counted, and one sent again with a higher count is answered', async (t) => {
  const f = await fort(t)
  const c = connect(t, f, f.keysOf('h1'))
  const first = signed(f, 'h1', hello('h1'))
  t.is(codeOf(await c.send(first)), 'hello')
  const again = await c.send(first)
  t.true(again.type === 'refused' && again.code === 'replayed' && again.after !== undefined)
  t.is(codeOf(await c.send(signed(f, 'h1', hello('h1'), Date.now() * 1000 - 5_000_000))), 'replayed')
  await until('both were counted', () => f.count('replayed', 'h1') === 2)
  const after = again.type === 'refused' ? (again.after ?? 0) : 0
  const same = JSON.parse(String(first[1])) as object
  t.is(codeOf(await c.send(signed(f, 'h1', same, after + 1))), 'hello')
  // A signature for one door opens no other.
  const other = connect(t, f, f.keysOf('h1'), 'reports')
  t.is(codeOf(await other.send(signed(f, 'h1', hello('h1'), after + 2, 'rpc'))), 'signature')
  t.is(f.told.filter((r) => r.reason === 'replayed').length, 1)
})

test('an agent whose clock is behind is told where to count from, and works', async (t) => {
  const f = await fort(t)
  const c = connect(t, f, f.keysOf('h1'))
  t.is(codeOf(await c.send(signed(f, 'h1', hello('h1'), (Date.now() + 3_600_000) * 1000))), 'hello')
  const agent = startAgent(t, { server: f.hub.endpoints.rpc, host: 'h1', keys: f.keysOf('h1') })
  await until('synced', () => isSynced(f.hub, agent))
  t.false(agent.log.some((l) => /E06|count/.test(l)))
})

test('a wrong key, no key, another server’s key and a plain client stay outside, and say why', async (t) => {
  const f = await fort(t)
  const stranger = startAgent(t, {
    server: f.hub.endpoints.rpc,
    host: 'h1',
    keys: { ...makeKeyPair(randomBytes), serverKey: f.server.publicKey },
  })
  const misled = startAgent(t, {
    server: f.hub.endpoints.rpc,
    host: 'h1',
    keys: { ...f.keysOf('h1'), serverKey: makeKeyPair(randomBytes).publicKey },
  })
  const plain = startAgent(t, { server: f.hub.endpoints.rpc, host: 'h1' })
  const keyless = connect(t, f, f.keysOf('h2'))
  f.allow('h1', 'h2')
  t.is(codeOf(await keyless.send(signed(f, 'h3', hello('h3')))), 'signature')
  t.is(codeOf(await keyless.send([encode(hello('h2') as Request)])), 'signature')
  await until('all were told', () => [stranger, misled, plain].every((a) => a.log.some((l) => l.includes('E0605'))))
  t.regex(stranger.log.join('\n'), /the server knows no such key/)
  t.regex(plain.log.join('\n'), /the server wants keys/)
  await until('all were counted', () => f.count('unknown-key', '') > 0 && f.count('handshake', '') > 1)
  await until('both were counted', () => f.count('no-key', '') === 1 && f.count('unsigned', '') === 1)
  const good = startAgent(t, { server: f.hub.endpoints.rpc, host: 'h1', keys: f.keysOf('h1') })
  await until('the right one is served', () => isSynced(f.hub, good))
  t.is(stranger.offers.length + misled.offers.length + plain.offers.length, 0)
  t.is(f.told.length, new Set(f.told.map((r) => `${r.reason} ${r.host}`)).size)
})

test('an expelled host is refused on the connections it has, gets no other, and hears nothing more; its key can be given anew', async (t) => {
  const f = await fort(t)
  const c = connect(t, f, f.keysOf('h2'))
  // Before the agent of that host counts on: a count that is behind is a replay.
  t.is(codeOf(await c.send(signed(f, 'h2', hello('h2')))), 'hello')
  const agents = ['h1', 'h2'].map((host) => startAgent(t, { server: f.hub.endpoints.rpc, host, keys: f.keysOf(host) }))
  const heard = listen(t, f, 'h2')
  await until('all there', () => agents.every((a) => isSynced(f.hub, a)) && heard.length > 0)
  f.allow('h1')
  f.hub.publish(2, nextWorld(ONE, { 'net/secret': { x: 9 }, fabric: { e: 2 } }))
  t.is(codeOf(await c.send(signed(f, 'h2', hello('h2')))), 'signature')
  const [h1, h2] = agents
  await until('the other follows', () => h1 !== undefined && isSynced(f.hub, h1))
  await until('its key is refused by ZeroMQ', () => f.count('revoked-key', 'h2') > 0)
  t.is(h2?.offers.length, 1)
  const before = heard.length
  const agent = startAgent(t, { server: f.hub.endpoints.rpc, host: 'h1', keys: f.keysOf('h1') })
  for (let revision = 3; revision < 6; revision++) {
    f.hub.publish(revision, nextWorld(ONE, { fabric: { e: revision } }))
    await until(`at ${revision}`, () => isSynced(f.hub, agent))
  }
  t.is(heard.length, before)
  f.allow('h1', 'h2')
  await until('let in again', () => h2 !== undefined && isSynced(f.hub, h2))
})

test('a host that left the repo is told to hold nothing, can read nothing, and is refused when its key goes too', async (t) => {
  const f = await fort(t)
  const agent = startAgent(t, { server: f.hub.endpoints.rpc, host: 'h2', keys: f.keysOf('h2') })
  await until('at 1', () => isSynced(f.hub, agent))
  f.hub.publish(2, { scopes: ONE.scopes, needs: ONE.needs.delete('h2') })
  await until('empty', () => agent.offers.at(-1)?.scopes.size === 0)
  const c = connect(t, f, f.keysOf('h2'))
  const nothing = await c.send(signed(f, 'h2', pull('h2', 'host/h2', 'net/secret', 'fabric')))
  t.true(nothing.type === 'pull' && nothing.contents.length + nothing.deltas.length + Object.keys(nothing.needs).length === 0)
  f.allow('h1')
  await until('refused', () => f.count('no-key', '') > 0)
})

test('random, mutated and oversized frames are refused and counted, and a good agent goes on being served', async (t) => {
  const f = await fort(t)
  const good = startAgent(t, { server: f.hub.endpoints.rpc, host: 'h2', keys: f.keysOf('h2') })
  await until('synced', () => isSynced(f.hub, good))
  const rounds = Number(process.env['NETLOOM_FUZZ'] ?? 400)
  const dealers = (['rpc', 'reports'] as const).map((door) => {
    const socket = new Dealer({ linger: 0, ...curveClientOptions(f.keysOf('h1'), f.server.publicKey) })
    socket.connect(f.hub.endpoints[door])
    t.teardown(() => socket.close())
    void drain(socket)
    return { door, socket }
  })
  const nonsense: readonly (() => (string | Uint8Array)[])[] = [
    () => [randomBytes(1 + Math.floor(Math.random() * 300))],
    () => ['', randomBytes(40)],
    () => ['', randomBytes(60), randomBytes(200)],
    () => ['', '', '', ''],
    () => ['', 'h1 1 x', '{}'],
    () => ['', `h1 99999999999999999999 ${'A'.repeat(43)}`, '{}'],
    () => ['', ...mutated(signed(f, 'h1', hello('h1')))],
    () => ['', ...mutated(signed(f, 'h1', pull('h1', 'host/h1')))],
    () => ['', ...signed(f, 'h1', { v: 1, type: 'pull', host: 'h1', id: 7 }, Date.now() * 1000 + Math.floor(Math.random() * 1e6))],
    () => ['', ...signed(f, 'h1', { v: 1, nested: Array.from({ length: 60 }).reduce((a) => [a], 0) }, Date.now() * 1000 + 2e6)],
  ]
  for (let i = 0; i < rounds; i++) for (const { socket } of dealers) await socket.send(nonsense[i % nonsense.length]?.() ?? '')
  const big = Buffer.alloc(MAX_REQUEST + 1, 32)
  for (const { socket } of dealers) await socket.send(['', 'h1 1 x', big])
  f.hub.publish(2, nextWorld(ONE, { 'net/secret': { x: 2 } }))
  await until('the good agent follows', () => isSynced(f.hub, good))
  await until('oversized ones were counted', () => f.count('oversized', '') === 2)
  const counted = f.hub.refused().reduce((sum, r) => sum + r.count, 0)
  // A random bit may fall where nothing changes its meaning (the signature's last letter has two spare bits).
  t.true(counted > rounds * 2 * 0.98, `${counted} of ${rounds * 2}`)
  t.is(f.told.length, new Set(f.told.map((r) => `${r.reason} ${r.host}`)).size)
  // Larger than the wire takes: ZeroMQ cuts that connection, and nobody else's.
  await dealers[0]?.socket.send(['', Buffer.alloc(MAX_MESSAGE + 1)])
  f.hub.publish(3, nextWorld(ONE, { 'net/secret': { x: 3 } }))
  await until('the good agent still follows', () => isSynced(f.hub, good))
  t.log(f.hub.refused().map((r) => `${r.reason} ${r.host} ${r.count}`))
})

/** Takes the replies: a peer that reads nothing is given up after a while, with what it has on its way. */
async function drain(socket: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of socket);
}

/** One bit of one frame turned over. */
function mutated(frames: readonly (string | Uint8Array)[]): Buffer[] {
  const out = frames.map((f) => Buffer.from(f))
  const frame = out[Math.floor(Math.random() * out.length)]
  if (frame !== undefined) {
    const at = Math.floor(Math.random() * frame.length)
    frame[at] = (frame[at] ?? 0) ^ (1 << Math.floor(Math.random() * 8))
  }
  return out
}

test('with keys every address may be bound', async (t) => {
  const hub = await startHub(t, {
    endpoints: { ...LOCAL, rpc: 'tcp://0.0.0.0:*' },
    security: { mode: 'keys', server: makeKeyPair(randomBytes) },
  })
  t.regex(hub.endpoints.rpc, /^tcp:\/\/0\.0\.0\.0:\d+$/)
})
