import { randomUUID } from 'node:crypto'
import test from 'ava'
import { Dealer, Request as RequestSocket } from 'zeromq'
import { HubError } from '../../../src/server/hub/error.ts'
import type { Hub } from '../../../src/server/hub/hub.ts'
import { decodeReply, encode } from '../../../src/wire/codec.ts'
import { MAX_MESSAGE, type Reply, type Report, WIRE_VERSION } from '../../../src/wire/messages.ts'
import { ipcEndpoints, isSynced, LOCAL, startAgent, startHub, until } from './fleet.ts'
import { nextWorld, world } from './worlds.ts'

const ONE = world({ fabric: { h1: 1 }, 'host/h1': { p1: 1 } }, { h1: ['fabric', 'host/h1'] })

/** Sends until the answer is not that the server is not ready: what `restore` sets is known to the reports thread a moment later. */
async function request(endpoint: string, bytes: Uint8Array): Promise<Reply> {
  for (;;) {
    const reply = await requestOnce(endpoint, bytes)
    if (reply.type !== 'refused' || reply.code !== 'not-ready') return reply
  }
}

/** Reads every version: a refusal comes in the one that was asked in. */
async function requestOnce(endpoint: string, bytes: Uint8Array): Promise<Reply> {
  const socket = new RequestSocket({ linger: 0, receiveTimeout: 20_000 })
  socket.connect(endpoint)
  try {
    await socket.send(bytes)
    const [frame] = await socket.receive()
    const decoded = decodeReply(frame ?? Buffer.alloc(0), { min: 0, max: 99 })
    if (!decoded.ok) throw new Error(decoded.refusal.message)
    return decoded.message
  } finally {
    socket.close()
  }
}

function report(host: string, change: Partial<Report> = {}): Report {
  const digest = '0'.repeat(32)
  const id = randomUUID()
  return {
    v: WIRE_VERSION,
    type: 'report',
    id,
    host,
    epoch: 'e',
    revision: 0,
    digest,
    converged: false,
    full: true,
    objects: [],
    gone: [],
    ...change,
  }
}

test('an agent that was there first converges, follows a revision, answers a question, and reports', async (t) => {
  const reports: Report[] = []
  const hub = await startHub(t, {}, { onReport: async (r) => void reports.push(r) })
  const agent = startAgent(t, { server: hub.endpoints.rpc, host: 'h1' })
  await until('the agent was refused', () => agent.log.length > 0)
  hub.restore(41, ONE, [])
  await until('at 41', () => isSynced(hub, agent))
  t.is(hub.publish(42, nextWorld(ONE, { 'host/h1': { p1: 1, p2: 2 } })).length, 1)
  await until('at 42', () => isSynced(hub, agent))
  await until('reported', () => reports.some((r) => r.converged && r.revision === 42))
  t.deepEqual(await hub.ask('h1', { what: 'flows' }, 5000), { ok: true, data: { asked: 'flows' } })
  t.deepEqual(agent.log.slice(0, 2), [
    'warn the server answered: the server has not read its state yet; this host stays as it is',
    'info at revision 41',
  ])
  t.is(reports.filter((r) => r.full).length, 1)
})

test('a revision that changes nothing on a host reaches it without a message, by its next report', async (t) => {
  const hub = await startHub(t)
  hub.restore(1, ONE, [])
  const agent = startAgent(t, { server: hub.endpoints.rpc, host: 'h1' })
  await until('at 1', () => isSynced(hub, agent))
  t.deepEqual(hub.publish(2, nextWorld(ONE, { 'net/x': { p: 1 } }, { h2: ['net/x'] })), ['h2'])
  await until('at 2', () => agent.northbound.status().revision === 2)
  t.is(agent.offers.length, 1)
})

test('moving one host back is a revert; the others stay', async (t) => {
  const hub = await startHub(t)
  const both = world({ fabric: { e: 1 } }, { h1: ['fabric'], h2: ['fabric'] })
  hub.restore(1, both, [])
  const agents = ['h1', 'h2'].map((host) => startAgent(t, { server: hub.endpoints.rpc, host }))
  await until('at 1', () => agents.every((a) => isSynced(hub, a)))
  hub.publish(2, nextWorld(both, { fabric: { e: 2 } }), ['h1'])
  await until('the canary is at 2', () => agents.every((a) => isSynced(hub, a)) && agents[0]?.northbound.status().revision === 2)
  t.is(agents[1]?.northbound.status().revision, 1)
  hub.move(['h1'], 1)
  await until('the canary is at 1 again', () => agents.every((a) => isSynced(hub, a)) && agents[0]?.northbound.status().revision === 1)
  t.deepEqual(
    agents[0]?.offers.map((o) => o.revision),
    [1, 2, 1],
  )
})

test('an unknown host is refused with what to do, and let in once the repo has it', async (t) => {
  const hub = await startHub(t)
  hub.restore(1, ONE, [])
  const agent = startAgent(t, { server: hub.endpoints.rpc, host: 'h9' })
  await until('refused', () => agent.log.length > 0)
  t.regex(agent.log[0] ?? '', /^warn the server answered: E0603: host h9 is not in the repo; add `hosts: \{ h9: \{\} \}`/)
  t.false((agent.log[0] ?? '').includes('h1'))
  const refusedReport = await request(hub.endpoints.reports, encode(report('h9')))
  t.is(refusedReport.type === 'refused' && refusedReport.code, 'unknown-host')
  hub.publish(2, nextWorld(ONE, {}, { h9: ['fabric'] }))
  await until('let in', () => isSynced(hub, agent))
  t.is(agent.log.length, 2)
})

test('a host that leaves the repo is left holding nothing', async (t) => {
  const hub = await startHub(t)
  hub.restore(1, ONE, [])
  const agent = startAgent(t, { server: hub.endpoints.rpc, host: 'h1' })
  await until('at 1', () => isSynced(hub, agent))
  hub.publish(2, { scopes: ONE.scopes, needs: ONE.needs.delete('h1') })
  await until('at 2', () => isSynced(hub, agent))
  t.is(agent.offers.at(-1)?.scopes.size, 0)
})

test('a report that is sent again gets the same reply and counts once', async (t) => {
  const seen: string[] = []
  const hub = await startHub(t, {}, { onReport: async (r) => void seen.push(r.id) })
  hub.restore(1, ONE, [])
  const message = encode(report('h1', { full: false }))
  const first = await request(hub.endpoints.reports, message)
  const second = await request(hub.endpoints.reports, message)
  t.true(first.type === 'report' && first.want_full && first.revision === 1)
  t.deepEqual(second, first)
  const third = await request(hub.endpoints.reports, encode(report('h1', { id: 'another' })))
  t.true(third.type === 'report' && !third.want_full)
  await until('both arrived', () => seen.length >= 2)
  t.deepEqual(seen.slice(1), ['another'])
})

test('a report that the server could not keep is asked for again, whole', async (t) => {
  const hub = await startHub(t, {}, { onReport: () => Promise.reject(new Error('database is locked')) })
  hub.restore(1, ONE, [])
  const first = await request(hub.endpoints.reports, encode(report('h1')))
  t.true(first.type === 'report' && !first.want_full)
  let second = first
  while (second.type === 'report' && !second.want_full) second = await request(hub.endpoints.reports, encode(report('h1', { full: false })))
  t.is(second.type, 'report')
})

test('pulls by revision; of unknown ones; with what the host has; of what is not its own', async (t) => {
  const hub = await startHub(t)
  hub.restore(1, ONE, [])
  const two = nextWorld(ONE, { 'host/h1': { p1: 1, p2: 2, p3: 3 }, 'net/secret': { x: 1 } }, { h2: ['net/secret'] })
  hub.publish(2, two)
  const pull = async (rest: object): Promise<Reply> =>
    request(hub.endpoints.rpc, Buffer.from(JSON.stringify({ v: 1, type: 'pull', id: 'x', host: 'h1', ...rest })))
  const old = await pull({ revision: 1, scopes: [{ scope: 'host/h1' }] })
  t.true(old.type === 'pull' && old.seq === 0 && Object.keys(old.contents[0]?.intents ?? {}).length === 1)
  const unknown = await pull({ revision: 77 })
  t.true(unknown.type === 'refused' && unknown.code === 'unknown-revision')
  const have = ONE.scopes.get('host/h1' as never)?.version
  const delta = await pull({
    scopes: [{ scope: 'host/h1', have }, { scope: 'net/secret' }, { scope: 'fabric', have: two.scopes.get('fabric' as never)?.version }],
  })
  t.true(delta.type === 'pull' && delta.contents.length + delta.deltas.length === 1 && delta.revision === 2)
  const bare = await pull({})
  t.true(bare.type === 'pull' && Object.keys(bare.needs).length === 2 && bare.contents.length === 0)
})

test('a pull that is too large for one answer comes in several', async (t) => {
  const hub = await startHub(t)
  const nets = Array.from({ length: 4 }, (_, i) => `net/n${i}`)
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`port-with-a-${'long-'.repeat(20)}name-${i}`, i]))
  hub.restore(1, world(Object.fromEntries(nets.map((n) => [n, many])), { h1: nets }), [])
  const first = await request(
    hub.endpoints.rpc,
    Buffer.from(JSON.stringify({ v: 1, type: 'pull', id: 'x', host: 'h1', scopes: nets.map((scope) => ({ scope })) })),
  )
  t.true(
    first.type === 'pull' &&
      first.contents.length > 0 &&
      first.more.length > 0 &&
      first.contents.length + first.more.length === nets.length,
  )
  const agent = startAgent(t, { server: hub.endpoints.rpc, host: 'h1' })
  await until('whole', () => isSynced(hub, agent))
  t.is(agent.offers.length, 1)
})

test('garbage on every socket is refused or dropped, and the next agent is served', async (t) => {
  const hub = await startHub(t)
  hub.restore(1, ONE, [])
  for (const endpoint of [hub.endpoints.rpc, hub.endpoints.reports]) {
    const raw = new Dealer({ linger: 0 })
    raw.connect(endpoint)
    await raw.send(['no empty frame'])
    await raw.send(['', 'a', 'b'])
    await raw.send(['', Buffer.from([0xff])])
    const refused = await request(endpoint, Buffer.from('{"v":99,"id":"q"}'))
    t.true(refused.type === 'refused' && refused.code === 'version' && refused.id === 'q' && refused.v === 99)
    raw.close()
  }
  const wrongDoor = await request(hub.endpoints.rpc, encode(report('h1')))
  t.true(wrongDoor.type === 'refused' && wrongDoor.code === 'malformed')
  // Larger than the wire takes: ZeroMQ cuts that connection, and nobody else's.
  const huge = new Dealer({ linger: 0 })
  huge.connect(hub.endpoints.rpc)
  await huge.send(['', Buffer.alloc(MAX_MESSAGE + 1)])
  const agent = startAgent(t, { server: hub.endpoints.rpc, host: 'h1' })
  await until('served', () => isSynced(hub, agent))
  huge.close()
})

test('a question that nobody answers ends with a timeout, one for a stranger at once, and close ends the rest', async (t) => {
  const hub = await startHub(t)
  hub.restore(1, ONE, [])
  t.is((await hub.ask('h1', { what: 'drift' }, 50)).ok, false)
  t.deepEqual(await hub.ask('nobody', { what: 'drift' }, 50), { ok: false, code: 'unknown-host', data: {} })
  const open = hub.ask('h1', { what: 'drift' }, 60_000)
  await hub.close()
  t.deepEqual(await open, { ok: false, code: 'closed', data: {} })
})

test('a failed answer says so', async (t) => {
  const hub = await startHub(t)
  hub.restore(1, ONE, [])
  const agent = startAgent(t, { server: hub.endpoints.rpc, host: 'h1', answer: () => Promise.reject(new Error('no such bridge')) })
  await until('synced', () => isSynced(hub, agent))
  t.deepEqual(await hub.ask('h1', { what: 'trace', bridge: 'br-x', flow: '' }, 5000), {
    ok: false,
    code: 'failed',
    data: { message: 'Error: no such bridge' },
  })
})

test('ipc and IPv6 loopback work; anything else needs --insecure-lab; a taken address is an error', async (t) => {
  const ipc = await ipcEndpoints()
  const six = { pub: 'tcp://[::1]:*', rpc: 'tcp://[::1]:*', reports: 'tcp://[::1]:*' }
  for (const endpoints of [ipc, six]) {
    const hub: Hub = await startHub(t, { endpoints })
    hub.restore(1, ONE, [])
    const agent = startAgent(t, { server: hub.endpoints.rpc, host: 'h1' })
    await until('synced', () => isSynced(hub, agent))
    await agent.close()
    await hub.close()
  }
  await ipc.remove()
  const open = { ...LOCAL, rpc: 'tcp://0.0.0.0:*' }
  const refused = await t.throwsAsync(startHub(t, { endpoints: open }), { instanceOf: HubError, code: 'insecure' })
  t.regex(refused?.message ?? '', /E0602: endpoints.rpc: tcp:\/\/0.0.0.0:\* can be reached from other machines.*--insecure-lab/)
  const lab = await startHub(t, { endpoints: open, security: { mode: 'insecure-lab' } })
  await t.throwsAsync(startHub(t, { endpoints: { ...LOCAL, rpc: lab.endpoints.rpc.replace('0.0.0.0', '127.0.0.1') } }), {
    instanceOf: HubError,
    code: 'bind',
  })
  await t.throwsAsync(startHub(t, { endpoints: { ...LOCAL, pub: lab.endpoints.pub } }), { instanceOf: HubError, code: 'bind' })
  await t.throwsAsync(startHub(t, { endpoints: { ...LOCAL, pub: 'http://x' } }), { instanceOf: HubError, code: 'endpoint' })
  await lab.close()
})
