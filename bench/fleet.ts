import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Declared } from '../src/model/resource.ts'
import { createContext } from '../src/server/context.ts'
import type { World } from '../src/server/engine/types.ts'
import { type Hub, openHub } from '../src/server/hub/hub.ts'
import type { AgentsAnswer, AgentsQuestion } from './fleet-agents.ts'
import { serveParent } from './support/child.ts'
import { type Figure, figure } from './support/figures.ts'
import { mainThreadCpuMs, residentMb } from './support/process-usage.ts'

// A thousand agents ask for everything at once, on real sockets, from processes of their own; then one port changes. The agents are the wire's end of an agent: they say hello,
// pull, report every second and listen to their topic; nothing is compiled.

interface Params {
  readonly hosts: number
  readonly portsPerHost: number
  /** Threads that answer hello and pulls. */
  readonly workers: number
}

const PROCESSES = 4
/** Networks a host has ports on, and hosts a network is on. */
const SPREAD = 10
/** After this silence a host counts as missing (src/server/render/fleet.ts). */
const DOWN_MS = 30_000

serveParent(async (params: Params): Promise<readonly Figure[]> => {
  const dir = mkdtempSync(join(tmpdir(), 'netloom-bench-'))
  const context = createContext()
  const before = residentMb(process.pid)
  const world = context.engine.step(context.engine.empty(), { set: declared(params), del: [] }, { now: Date.now() }).world
  const at = (name: string): string => `ipc://${join(dir, name)}`
  const open = (): Promise<Hub> =>
    openHub(
      {
        endpoints: { pub: at('pub'), rpc: at('rpc'), reports: at('reports') },
        installation: 'bench',
        heartbeatMs: 1000,
        security: { mode: 'local-only' },
        workers: { rpc: params.workers, reports: 1 },
      },
      {
        onHello: () => undefined,
        onReport: async () => {},
        onFault: (error) => console.error(error),
        warn: console.error,
        onRefused: console.error,
      },
    )
  let hub = await open()
  const agents = await startAgents(params.hosts, at('rpc'))
  const again = async (): Promise<Hub> => {
    await hub.close()
    hub = await open()
    return hub
  }
  try {
    hub.restore(1, world, [])
    const step: Fleet['step'] = (d) => context.engine.step(world, d, { now: Date.now() }).world
    return await measure(params, { hub, again, world, agents, step, before })
  } finally {
    for (const child of agents) if (child.connected) child.disconnect()
    await hub.close()
    rmSync(dir, { recursive: true, force: true })
  }
})

interface Fleet {
  readonly hub: Hub
  /** Another life of the server, at the same place. */
  readonly again: () => Promise<Hub>
  readonly world: World
  readonly agents: readonly ChildProcess[]
  readonly step: (ops: { readonly set: readonly Declared[]; readonly del: [] }) => World
  /** Megabytes before the world was built. */
  readonly before: number
}

async function measure(params: Params, { hub, again, agents, step, before }: Fleet): Promise<readonly Figure[]> {
  const at = `${params.hosts.toLocaleString('en')} hosts × ${params.portsPerHost} ports, rpc: ${params.workers}`
  const stormBegan = mainThreadCpuMs(process.pid)
  const storm = (await Promise.all(agents.map((c) => ask(c, { ask: 'storm' })))).flatMap((a) => a.pulled)
  const stormBusy = mainThreadCpuMs(process.pid) - stormBegan
  const stormMemory = residentMb(process.pid)
  const settled = await Promise.all(agents.map((c) => ask(c, { ask: 'reports' })))
  const slowest = Math.max(...settled.map((a) => a.slowestReportMs))
  const changed = step({ set: [port(0, params.portsPerHost, params)], del: [] })
  const began = performance.now()
  const concerned = hub.publish(2, changed)
  const published = performance.now() - began
  await sleep(2000)
  const heard = (await Promise.all(agents.map((c) => ask(c, { ask: 'heard' })))).flatMap((a) => a.heard)
  const others = heard.filter((h) => !concerned.includes(h))
  const restart = await measureRestart(await again(), changed, agents, params)
  return [
    figure(at, 'hello and everything pulled, all agents at once', 'ms', storm),
    figure(at, '  99th percentile', 'ms', [percentile99(storm)]),
    figure(at, '  CPU of the planner’s thread meanwhile', 'ms', [stormBusy]),
    figure(at, '  server memory after it', 'MB', [stormMemory]),
    figure(at, '  agents answered', 'items', [storm.length], { target: { atLeast: params.hosts } }),
    figure(at, '  slowest report meanwhile', 'ms', [slowest], { target: { atMost: DOWN_MS } }),
    figure(at, 'one port added: published', 'ms', [published]),
    figure(at, '  hosts it concerns', 'items', [concerned.length]),
    figure(at, '  of these heard it', 'items', [heard.length - others.length], { target: { atLeast: concerned.length } }),
    figure(at, '  others that heard anything', 'items', [others.length], { target: { atMost: 0 } }),
    figure(at, 'server started again: hello and target, all agents', 'ms', restart.took),
    figure(at, '  99th percentile', 'ms', [percentile99(restart.took)]),
    figure(at, '  agents answered', 'items', [restart.took.length], { target: { atLeast: params.hosts } }),
    figure(at, '  CPU of the planner’s thread meanwhile', 'ms', [restart.busy]),
    figure(at, '  slowest report of all', 'ms', [restart.slowestReport], { target: { atMost: DOWN_MS } }),
    figure(at, 'server memory', 'MB', [residentMb(process.pid)]),
    figure(at, '  of which before the world was there', 'MB', [before]),
  ]
}

async function measureRestart(
  hub: Hub,
  world: World,
  agents: readonly ChildProcess[],
  params: Params,
): Promise<{ readonly took: readonly number[]; readonly busy: number; readonly slowestReport: number }> {
  // Heartbeats come from the first moment on; the state is read a moment later.
  await sleep(500)
  const began = mainThreadCpuMs(process.pid)
  const names = Array.from({ length: params.hosts }, (_, n) => hostName(n))
  hub.restore(2, world, names)
  const answers = await Promise.all(agents.map((c) => ask(c, { ask: 'restarted' })))
  return {
    took: answers.flatMap((a) => a.again),
    busy: mainThreadCpuMs(process.pid) - began,
    slowestReport: Math.max(...answers.map((a) => a.slowestReportMs)),
  }
}

function percentile99(samples: readonly number[]): number {
  return [...samples].sort((a, b) => a - b)[Math.floor(samples.length * 0.99)] ?? Number.NaN
}

function ask(child: ChildProcess, question: AgentsQuestion): Promise<AgentsAnswer> {
  return new Promise((resolve, reject) => {
    child.once('message', (answer) => resolve(answer as AgentsAnswer))
    child.once('exit', (code) => reject(new Error(`a process of agents ended with ${code}`)))
    child.send(question)
  })
}

async function startAgents(hosts: number, rpc: string): Promise<readonly ChildProcess[]> {
  const program = fileURLToPath(new URL('./fleet-agents.js', import.meta.url))
  const names = Array.from({ length: hosts }, (_, n) => hostName(n))
  return Array.from({ length: PROCESSES }, (_, n) => {
    const own = names.filter((_, i) => i % PROCESSES === n)
    const child = fork(program, [rpc, JSON.stringify(own)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    process.once('exit', () => child.kill('SIGTERM'))
    return child
  })
}

function hostName(n: number): string {
  return `h${n}`
}

/** Every host has ports on ten networks, every network is on ten hosts, and of a project of its own: the default group of one has a hundred members. */
function declared(params: Params): readonly Declared[] {
  const own = (kind: string, project: string, name: string, spec: Declared['spec']): Declared => ({
    key: [kind, project, name].filter((p) => p !== '').join('/') as Declared['key'],
    kind,
    project,
    name,
    spec,
  })
  const out: Declared[] = []
  for (let h = 0; h < params.hosts; h++) out.push(own('host', '', hostName(h), { tunnel_ip: `10.255.${h >> 8}.${h & 255}` }))
  for (let n = 0; n < params.hosts; n++) {
    const project = projectOf(n)
    out.push(own('network', project, 'n', {}))
    out.push(own('subnet', project, 's', { network: 'n', cidr: `10.${n >> 8}.${n & 255}.0/24` }))
    // What the ports take for granted.
    out.push(own('security_group', project, 'default', {}))
  }
  for (let h = 0; h < params.hosts; h++) for (let p = 0; p < params.portsPerHost; p++) out.push(port(h, p, params))
  return out
}

function projectOf(network: number): string {
  return `t${network}`
}

function port(h: number, p: number, params: Params): Declared {
  const project = projectOf((h + (p % SPREAD)) % params.hosts)
  const name = `p${h}-${p}`
  return { key: `port/${project}/${name}` as Declared['key'], kind: 'port', project, name, spec: { network: 'n', host: hostName(h) } }
}
