import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Key } from '../../src/model/key.ts'
import { type Server, type ServerEvent, startServer } from '../../src/server/serve.ts'
import { writeSecret } from '../../src/server/server-key.ts'
import { makeKeyPair } from '../../src/wire/keys.ts'
import type { Report } from '../../src/wire/messages.ts'
import { type Switch, startSwitch } from '../../test/agentd/backends/ovs/switch.ts'

export type Reported = { readonly at: number; readonly report: Report }

/** One host h1: a private switch, a server in this process, netloom-agentd in its own, keys on as in operation. */
export interface Rig {
  readonly dir: string
  /** The repo's folder. */
  readonly repo: string
  readonly sw: Switch
  readonly server: Server
  /** Milliseconds (performance.now) of the last event of each type; -1: none since `forget`. */
  readonly last: Record<ServerEvent['type'], number>
  forget(): void
  startAgent(): Promise<AgentProcess>
  /** Resolves with the first report from now on for which `wanted` holds. */
  report(wanted: (report: Report) => boolean, what: string, timeoutMs?: number): Promise<Reported>
  /** Ports that the last reports say are ACTIVE. */
  readonly active: ReadonlySet<Key>
  /** Of the agent that reported last: another process, another epoch. */
  epoch(): string
  stop(): Promise<void>
}

export interface AgentProcess {
  readonly pid: number
  /** Everything it logged, one JSON object a line. */
  log(): string
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>
}

export interface RigOptions {
  /** Writes the repo before the server starts. */
  readonly write: (repo: string) => void
}

const AGENTD = fileURLToPath(new URL('../../agentd/main.js', import.meta.url))

export async function startRig(options: RigOptions): Promise<Rig> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-bench-'))
  const repo = join(dir, 'repo')
  const undo: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })]
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    await mkdir(repo)
    options.write(repo)
    const sw = await startSwitch()
    undo.push(() => sw.stop())
    const events = listen()
    const key = join(dir, 'h1.key')
    const [own, keys] = [makeKeyPair(randomBytes), makeKeyPair(randomBytes)]
    writeSecret(key, { host: 'h1', public_key: own.publicKey, secret_key: own.secretKey, server_key: keys.publicKey })
    writeFileSync(join(dir, 'host-keys'), `h1 ${own.publicKey}\n`)
    const server = await startServer({
      dir: repo,
      stateFile: join(dir, 'state', 'state.db'),
      endpoints: endpoints(dir),
      mode: 'auto',
      insecureLab: false,
      keys,
      hostKeys: join(dir, 'host-keys'),
      heartbeatMs: 1000,
      fresh: true,
      log: (level, message, detail) => level === 'error' && console.error(message, detail),
      onFault: (reason) => console.error(reason),
      onEvent: events.onEvent,
    })
    undo.push(() => server.close())
    const startAgent = async (): Promise<AgentProcess> => {
      const agent = await runAgent(dir, sw)
      undo.push(() => agent.stop())
      return agent
    }
    return { dir, repo, sw, server, startAgent, stop, ...events }
  } catch (error) {
    await stop()
    throw error
  }
}

function endpoints(dir: string): { readonly pub: string; readonly rpc: string; readonly reports: string } {
  return { pub: `ipc://${dir}/pub`, rpc: `ipc://${dir}/rpc`, reports: `ipc://${dir}/reports` }
}

function listen(): Pick<Rig, 'last' | 'forget' | 'report' | 'active' | 'epoch'> & { readonly onEvent: (event: ServerEvent) => void } {
  const last: Rig['last'] = { seen: -1, repo: -1, revision: -1, report: -1 }
  const active = new Set<Key>()
  let epoch = ''
  const waiters = new Set<(reported: Reported) => void>()
  return {
    last,
    active,
    epoch: () => epoch,
    forget: () => Object.assign(last, { seen: -1, repo: -1, revision: -1, report: -1 }),
    onEvent: (event) => {
      const at = performance.now()
      last[event.type] = at
      if (event.type !== 'report') return
      if (event.report.full || event.report.epoch !== epoch) active.clear()
      epoch = event.report.epoch
      for (const o of event.report.objects) if (o.state === 'ACTIVE') active.add(o.key)
      for (const waiter of [...waiters]) waiter({ at, report: event.report })
    },
    report: (wanted, what, timeoutMs = 120_000) =>
      new Promise((resolve, reject) => {
        const waiter = (reported: Reported): void => {
          if (!wanted(reported.report)) return
          waiters.delete(waiter)
          clearTimeout(timer)
          resolve(reported)
        }
        const timer = setTimeout(() => {
          waiters.delete(waiter)
          reject(new Error(`${what} was not reported within ${timeoutMs / 1000} s`))
        }, timeoutMs)
        waiters.add(waiter)
      }),
  }
}

/** The kernel ends it when this process is gone, whatever ended that. */
async function runAgent(dir: string, sw: Switch): Promise<AgentProcess> {
  const path = join(dir, `agent-${Date.now()}.log`)
  const log = openSync(path, 'a')
  const args = [
    '--host',
    'h1',
    '--server',
    endpoints(dir).rpc,
    '--keys',
    join(dir, 'h1.key'),
    '--state-dir',
    join(dir, 'agent'),
    '--rundir',
    sw.rundir,
  ]
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, AGENTD, ...args], { stdio: ['ignore', 'ignore', log] })
  closeSync(log)
  const gone = new Promise((resolve) => child.once('exit', resolve))
  await new Promise((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  return { pid: child.pid ?? 0, log: () => readFileSync(path, 'utf8'), stop: () => end(child, gone) }
}

async function end(child: ChildProcess, gone: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(timer)
}
