import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commandAt } from '../lab/exec.ts'
import { findHost, type Lab } from '../lab/lab.ts'
import { hostDir, labDir, wireNetns } from '../lab/names.ts'
import { findRemains } from '../lab/sweep.ts'
import { ensureServerKey, serverKeyPath, writeSecret } from '../server/server-key.ts'
import { makeKeyPair } from '../wire/keys.ts'
import { askServer, type StatusAnswer } from './status.ts'

/** The programs that make a lab alive: one server, one agent per host, as separate processes, speaking over unix sockets in the lab's folder, each with a key. */
const NETLOOM = fileURLToPath(new URL('./main.js', import.meta.url))
const AGENTD = fileURLToPath(new URL('../../agentd/main.js', import.meta.url))

/** A lab has a state of its own, so that trying a repo leaves the operator's state file alone. */
export function labStateFile(tag: string): string {
  return join(labDir(tag), 'server', 'state.db')
}

export function labEndpoint(tag: string, name: 'pub' | 'rpc' | 'reports'): string {
  return `ipc://${join(labDir(tag), 'server', `${name}.sock`)}`
}

/**
 * Starts `netloom serve` for the lab. It lives in the namespace of the lab's cables, so that taking the lab down ends it like everything else in there. Resolves
 * when it serves, to its process id; rejects with the end of its log when it ends instead.
 */
export async function startLabServer(
  lab: Lab,
  dir: string,
  options: { readonly manual: boolean; readonly fresh: boolean; readonly heartbeatMs: number },
): Promise<number> {
  const { tag } = lab
  const folder = join(labDir(tag), 'server')
  for (const host of lab.spec.hosts) ensureLabKey(lab, host.name)
  const argv = [
    ...['nsenter', `--net=/run/netns/${wireNetns(tag)}`, process.execPath, NETLOOM, 'serve', dir, '--state', labStateFile(tag)],
    ...['--pub', labEndpoint(tag, 'pub'), '--rpc', labEndpoint(tag, 'rpc'), '--reports', labEndpoint(tag, 'reports')],
    ...['--heartbeat', String(options.heartbeatMs), '--host-keys', labHostKeys(tag)],
    ...(options.manual ? ['--manual'] : []),
    ...(options.fresh ? ['--fresh'] : []),
  ]
  const ended = launch(argv, {}, join(folder, 'server.log'))
  await until(
    async () => (await askServer(labStateFile(tag))) !== undefined,
    20_000,
    'the server does not answer',
    ended,
    join(folder, 'server.log'),
  )
  return ended.pid
}

/** Public keys of the lab's hosts: the repository is the operator's, and its keys are those of other machines. */
function labHostKeys(tag: string): string {
  return join(labDir(tag), 'server', 'host-keys')
}

/** The key file of a lab's host, made when it is first asked for, and the server's with it. Down removes them with everything else of the lab. */
function ensureLabKey(lab: Lab, host: string): string {
  const { tag } = lab
  mkdirSync(join(labDir(tag), 'server'), { recursive: true })
  const server = ensureServerKey(serverKeyPath(labStateFile(tag))).pair
  const file = join(hostDir(tag, findHost(lab, host).name), 'agent.key')
  if (!existsSync(file)) {
    const pair = makeKeyPair(randomBytes)
    appendFileSync(labHostKeys(tag), `${host} ${pair.publicKey}\n`)
    writeSecret(file, { host, public_key: pair.publicKey, secret_key: pair.secretKey, server_key: server.publicKey })
  }
  return file
}

/** Starts `netloom-agentd` on one of the lab's hosts. Resolves as soon as the process exists. */
export async function startLabAgent(lab: Lab, host: string): Promise<number> {
  const dir = hostDir(lab.tag, findHost(lab, host).name)
  const argv = [
    process.execPath,
    AGENTD,
    '--host',
    host,
    '--server',
    labEndpoint(lab.tag, 'rpc'),
    '--keys',
    ensureLabKey(lab, host),
    '--state-dir',
    join(dir, 'agent'),
    '--rundir',
    dir,
  ]
  const command = commandAt(lab, { host }, argv)
  const log = join(dir, 'agent.log')
  return launch(command.argv, command.env, log).pid
}

/** Hosts of the lab whose agent runs, as the machine's processes say. */
export async function labAgents(lab: Lab): Promise<ReadonlySet<string>> {
  const { processes } = await findRemains(lab.tag)
  const runs = (name: string): boolean => {
    const state = join(hostDir(lab.tag, name), 'agent')
    return processes.some(({ argv }) => argv.some((word, i) => word === state && argv[i - 1] === '--state-dir'))
  }
  return new Set(lab.spec.hosts.map((h) => h.name).filter(runs))
}

interface Launched {
  readonly pid: number
  exit(): number | null
}

function launch(argv: readonly string[], env: Readonly<Record<string, string>>, log: string): Launched {
  const file = openSync(log, 'a')
  const [program = '', ...args] = argv
  const child = spawn(program, args, { detached: true, stdio: ['ignore', file, file], env: { ...process.env, ...env } })
  child.unref()
  closeSync(file)
  return { pid: child.pid ?? 0, exit: () => child.exitCode }
}

async function until(holds: () => Promise<boolean>, timeoutMs: number, what: string, process: Launched, log: string): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await holds())) {
    if (process.exit() !== null) throw new Error(`${what}: it ended with exit status ${process.exit()}; see ${log}`)
    if (Date.now() > end) throw new Error(`${what} within ${timeoutMs / 1000} s; see ${log}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Waits until every host of the lab reports that it holds the current revision. Returns the last answer either way. */
export async function waitConverged(
  tag: string,
  hosts: readonly string[],
  timeoutMs: number,
  ready: (answer: StatusAnswer) => boolean,
): Promise<StatusAnswer | undefined> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const answer = existsSync(labStateFile(tag)) ? await askServer(labStateFile(tag)) : undefined
    const there = answer !== undefined && hosts.every((h) => answer.fleet.agents.some((a) => a.host === h && a.converged)) && ready(answer)
    if (there || Date.now() > end) return answer
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
