import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { Report } from '../../../src/wire/messages.ts'
import { ipcEndpoints, isSynced, startAgent, startHub, until } from './fleet.ts'
import { testKeys } from './test-keys.ts'
import type { ThreadFault } from './thread-fault.ts'
import type { ProgramMessage, ProgramParams } from './workers-program.ts'
import { nextWorld, world } from './worlds.ts'

const FAULTS = ['--import', new URL('./thread-fault.js', import.meta.url).href]
const MAIN = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url))

for (const workers of [
  { rpc: 3, reports: 1 },
  { rpc: 1, reports: 0 },
  { rpc: 2, reports: 0 },
]) {
  test(`rpc: ${workers.rpc}, reports: ${workers.reports}: agents with keys converge, follow, answer and report; a large pull comes in several`, async (t) => {
    const hosts = Array.from({ length: 12 }, (_, i) => `h${i}`)
    const keys = testKeys()
    const reports = new Map<string, Report>()
    const onReport = async (r: Report): Promise<undefined> => {
      reports.set(r.host, r)
    }
    const hub = await startHub(t, { workers, security: keys.security, heartbeatMs: 500 }, { onReport })
    const nets = Array.from({ length: 4 }, (_, i) => `net/n${i}`)
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`port-with-a-${'long-'.repeat(20)}name-${i}`, i]))
    const needs = Object.fromEntries(hosts.map((h) => [h, h === 'h0' ? ['fabric', ...nets] : ['fabric', `host/${h}`]]))
    const first = world({ fabric: { e: 1 }, ...Object.fromEntries(nets.map((n) => [n, many])) }, needs)
    hub.setKeys(keys.list(hosts))
    hub.restore(1, first, hosts)
    const agents = hosts.map((host) => startAgent(t, { server: hub.endpoints.rpc, host, keys: keys.of(host) }))
    await until('at 1', () => agents.every((a) => isSynced(hub, a)))
    hub.publish(2, nextWorld(first, { fabric: { e: 2 }, 'host/h3': { p: 1 } }))
    await until('at 2', () => agents.every((a) => isSynced(hub, a)))
    await until('all report it', () => hosts.every((h) => reports.get(h)?.converged === true && reports.get(h)?.revision === 2))
    for (const host of ['h1', 'h2', 'h3'])
      t.deepEqual(await hub.ask(host, { what: 'flows' }, 20_000), { ok: true, data: { asked: 'flows' } })
    t.deepEqual(
      hub.refused().filter((r) => r.reason !== 'handshake'),
      [],
    )
  })
}

interface Program {
  readonly rpc: string
  readonly seen: ProgramMessage[]
  send(message: ThreadFault | { readonly publish: number }): void
}

async function startProgram(t: ExecutionContext, params: ProgramParams): Promise<Program> {
  const program = fileURLToPath(new URL('./workers-program.js', import.meta.url))
  const child = fork(program, [JSON.stringify(params)], { execArgv: FAULTS })
  t.teardown(() => child.kill('SIGKILL'))
  const seen: ProgramMessage[] = []
  child.on('message', (message) => seen.push(message as ProgramMessage))
  await until('bound', () => seen.length > 0)
  const [bound] = seen
  return { rpc: bound?.type === 'bound' ? bound.rpc : '', seen, send: (message) => child.send(message) }
}

for (const [rpc, thread] of [
  [1, 'rpc'],
  [2, 'clerk'],
] as const) {
  test(`rpc: ${rpc}: with everybody who answers pulls stuck for 60 s no agent is missing, and a revision reaches them all`, async (t) => {
    t.timeout(150_000)
    const hosts = Array.from({ length: 10 }, (_, i) => `h${i}`)
    const { rpc: server, seen, send } = await startProgram(t, { workers: { rpc, reports: 1 }, hosts })
    const agents = hosts.map((host) => startAgent(t, { server, host }))
    const allAt = (revision: number): boolean => agents.every((a) => a.offers.at(-1)?.revision === revision)
    await until('at 1', () => allAt(1))
    send({ thread, fault: 'busy', ms: 60_000 })
    const from = Date.now()
    await sleep(1000)
    const late = startAgent(t, { server, host: 'h0' })
    send({ publish: 2 })
    await until('at 2 by what is published alone', () => allAt(2), 20_000)
    await sleep(from + 55_000 - Date.now())
    // Proves that they are stuck: nobody who asks is answered.
    t.is(late.offers.length, 0)
    const missing = seen.flatMap((m) => (m.type === 'missing' && m.at > from ? [m.host] : []))
    t.deepEqual(missing, [])
    const gaps = hosts.map((host) => longestGap(seen.flatMap((m) => (m.type === 'report' && m.host === host && m.at > from ? [m.at] : []))))
    t.log(`longest time without a report of a host: ${Math.max(...gaps)} ms`)
    t.true(Math.max(...gaps) < 15_000)
    await until('answered when they go on', () => late.offers.length > 0)
  })
}

function longestGap(times: readonly number[]): number {
  return Math.max(...times.map((at, i) => at - (times[i - 1] ?? at)), times.length < 10 ? Number.POSITIVE_INFINITY : 0)
}

interface Serving {
  readonly child: ChildProcess
  readonly log: () => string
}

async function serve(t: ExecutionContext, dir: string, rpc: string): Promise<Serving> {
  const at = (name: string): string => rpc.replace(/rpc$/, name)
  const ends = ['--pub', at('pub'), '--rpc', rpc, '--reports', at('reports'), '--heartbeat', '300']
  const child = spawn(process.execPath, [...FAULTS, MAIN, 'serve', dir, ...ends], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  t.teardown(() => child.kill('SIGKILL'))
  let log = ''
  child.stderr?.on('data', (d: Buffer) => (log += d.toString()))
  if (child.stdout !== null) await once(child.stdout, 'data')
  return { child, log: () => log }
}

for (const [thread, rpc, name] of [
  ['rpc', 1, 'rpc'],
  ['reports', 1, 'reports'],
  ['clerk', 2, 'rpc [01]'],
] as const) {
  test(`rpc: ${rpc}: the death of the ${thread} thread ends the server with its reason; started again, agents have lost nothing and go on`, async (t) => {
    t.timeout(150_000)
    const dir = await mkdtemp(join(tmpdir(), 'netloom-death-'))
    const endpoints = await ipcEndpoints()
    t.teardown(async () => {
      await endpoints.remove()
      await rm(dir, { recursive: true, force: true })
    })
    await writeFile(join(dir, 'netloom.yaml'), `workers: { rpc: ${rpc} }\n`)
    await writeFile(
      join(dir, 'a.yaml'),
      'hosts: { h1: { tunnel_ip: 192.0.2.1 } }\nnetworks: { blue: {} }\nports: { p1: { network: blue, host: h1 } }\n',
    )
    const first = await serve(t, dir, endpoints.rpc)
    const agent = startAgent(t, { server: endpoints.rpc, host: 'h1' })
    await until('converged', () => (agent.offers.at(-1)?.scopes.size ?? 0) > 1)
    const held = agent.offers.at(-1)?.digest
    // `exit` may come before the last that was written is read.
    const gone = once(first.child, 'close')
    first.child.send({ thread, fault: 'throw', ms: 0 } satisfies ThreadFault)
    const [code, signal] = await gone
    t.deepEqual([code, signal], [1, null], first.log())
    t.regex(first.log(), new RegExp(`the ${name} thread died: Error: a fault on purpose`))
    const offers = agent.offers.length
    const again = await serve(t, dir, endpoints.rpc)
    await until('greeted by the next life', () => again.log().includes('agent connected') && agent.northbound.status().state === 'synced')
    t.deepEqual([agent.offers.length, agent.offers.at(-1)?.digest], [offers, held])
    await writeFile(join(dir, 'b.yaml'), 'ports: { p2: { network: blue, host: h1 } }\n')
    await until('the next change arrives', () => agent.offers.length > offers)
  })
}
