import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { context } from 'zeromq'
import { type Agent, startAgent } from '../../../agentd/agent.ts'
import { createFakeBackend, type FakeBackend } from '../../../agentd/backends/fake/backend.ts'
import type { World } from '../../../src/server/engine/types.ts'
import type { Hub } from '../../../src/server/hub/hub.ts'
import { writeSecret } from '../../../src/server/server-key.ts'
import type { Endpoints } from '../../../src/wire/endpoints.ts'
import type { Report } from '../../../src/wire/messages.ts'
import { build, engine, write } from '../../support/world.ts'
import { ipcEndpoints, startHub, until } from './fleet.ts'
import { testKeys } from './test-keys.ts'

const HOSTS = Array.from({ length: 300 }, (_, i) => `h${String(i).padStart(3, '0')}`)
const IN_PROCESS = HOSTS.slice(0, 270)
const ALONE = HOSTS.slice(270)
const NETWORKS = 30
// Each of 270 agents in one process has three sockets and watches two: more than ZeroMQ's 1,023.
context.maxSockets = 8192
const KEYS = testKeys()
const LOG = (): undefined => undefined

/** 300 hosts, 30 VXLAN networks with a subnet each, three ports a host: every network is on 30 hosts. */
function repo(): string {
  const lines = ['hosts:']
  for (const [i, host] of HOSTS.entries()) lines.push(`  ${host}: { tunnel_ip: 192.0.${2 + (i >> 8)}.${i & 255} }`)
  lines.push('networks:', ...Array.from({ length: NETWORKS }, (_, n) => `  n${n}: {}`))
  lines.push('subnets:', ...Array.from({ length: NETWORKS }, (_, n) => `  s${n}: { network: n${n}, cidr: 10.${n}.0.0/16 }`))
  // A group for each network: in one group of all, everybody would be concerned by everybody.
  const groups = Array.from({ length: NETWORKS }, (_, n) => `  g${n}: { rules: [{ direction: ingress, remote_group: g${n} }] }`)
  lines.push('security_groups:', ...groups, 'ports:')
  for (const [i, host] of HOSTS.entries()) {
    for (let p = 0; p < 3; p++) {
      const n = (i + p * 10) % NETWORKS
      lines.push(`  p${i}-${p}: { network: n${n}, host: ${host}, security_groups: [g${n}] }`)
    }
  }
  return lines.join('\n')
}

/** The last report of each host says: converged, at the digest that is its target. */
function allConverged(hub: Hub, reports: ReadonlyMap<string, Report>): boolean {
  return HOSTS.every((host) => {
    const report = reports.get(host)
    return report?.converged === true && report.digest === hub.targets().get(host)?.digest
  })
}

async function startAlone(t: ExecutionContext, host: string, server: string, stateDir: string): Promise<ChildProcess> {
  const file = join(stateDir, `${host}.key`)
  const { publicKey, secretKey, serverKey } = KEYS.of(host)
  writeSecret(file, { host, public_key: publicKey, secret_key: secretKey, server_key: serverKey })
  const main = fileURLToPath(new URL('../../../agentd/main.js', import.meta.url))
  const args = [
    main,
    '--backend',
    'fake',
    '--host',
    host,
    '--server',
    server,
    '--keys',
    file,
    '--state-dir',
    join(stateDir, host),
    '--log-level',
    'warn',
  ]
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  return child
}

async function startTogether(
  t: ExecutionContext,
  hosts: readonly string[],
  server: string,
  stateDir: string,
  backend: FakeBackend,
): Promise<void> {
  const start = (host: string): Promise<Agent> =>
    startAgent({
      host,
      server,
      keys: KEYS.of(host),
      stateDir: join(stateDir, host),
      rundir: stateDir,
      backend,
      log: LOG,
      timing: { requestMs: 20_000 },
    })
  const agents = await Promise.all(hosts.map(start))
  t.teardown(async () => {
    await Promise.all(agents.map((a) => a.close()))
  })
}

function writes(backend: FakeBackend): Map<string, number> {
  return new Map(IN_PROCESS.map((host) => [host, backend.switchOf(host).writes()]))
}

test('300 agents, 30 of them processes of their own, each compile and converge; a change reaches whom it concerns; a restart writes nothing', async (t) => {
  t.timeout(170_000)
  const stateDir = await mkdtemp(join(tmpdir(), 'netloom-300-'))
  t.teardown(() => rm(stateDir, { recursive: true, force: true }))
  const endpoints: Endpoints & { remove(): Promise<void> } = await ipcEndpoints()
  t.teardown(() => endpoints.remove())
  let reports = new Map<string, Report>()
  const handlers = { onReport: async (r: Report): Promise<undefined> => void reports.set(r.host, r) }
  const world: World = build(repo())
  const hub = await startHub(t, { endpoints, heartbeatMs: 1000, security: KEYS.security }, handlers)
  hub.setKeys(KEYS.list(HOSTS))
  hub.restore(1, world, [])
  const backend = createFakeBackend()
  const memory = process.memoryUsage().rss
  await startTogether(t, IN_PROCESS, endpoints.rpc, stateDir, backend)
  await until('270 agents in this process have converged', () => IN_PROCESS.every((h) => reports.get(h)?.converged === true), 120_000)
  t.log(`${((process.memoryUsage().rss - memory) / 270 / 1e6).toFixed(2)} MB for each agent in this process`)
  for (const host of ALONE) await startAlone(t, host, endpoints.rpc, stateDir)
  await until('300 agents have converged', () => allConverged(hub, reports), 120_000)
  t.is([...reports.values()].filter((r) => r.objects.length > 0 || r.converged).length, 300)

  const before = writes(backend)
  const step = engine.step(
    world,
    { set: write('ports: { extra: { network: n7, host: h007, security_groups: [g7] } }').declared, del: [] },
    { now: 0 },
  )
  const concerned = hub.publish(2, step.world)
  t.is(concerned.length, 30)
  await until('all are at revision 2', () => allConverged(hub, reports) && HOSTS.every((h) => reports.get(h)?.revision === 2))
  const written = IN_PROCESS.filter((h) => backend.switchOf(h).writes() !== before.get(h))
  t.deepEqual(written, [...concerned].filter((h) => IN_PROCESS.includes(h)).sort())

  await hub.close()
  const settled = writes(backend)
  reports = new Map()
  const again = await startHub(t, { endpoints, heartbeatMs: 1000, security: KEYS.security }, handlers)
  again.setKeys(KEYS.list(HOSTS))
  again.restore(2, step.world, HOSTS)
  await until('all have found the server again', () => allConverged(again, reports))
  t.deepEqual(writes(backend), settled)
  // On a busy machine a connection may break in the middle of its handshake, and is made again.
  t.deepEqual(
    [...hub.refused(), ...again.refused()].filter((r) => r.reason !== 'handshake'),
    [],
  )
})
