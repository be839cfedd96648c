import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * One private Open vSwitch: its own database, sockets, network namespace and datapath (userspace). The processes die with the test
 * process, whatever ends it.
 */
export interface Switch {
  readonly rundir: string
  readonly database: string
  /** Of vswitchd, in whose network namespace the switch's links are; it changes when vswitchd is started again. */
  pid(): number
  vsctl(...args: string[]): Promise<string>
  ofctl(...args: string[]): Promise<string>
  appctl(...args: string[]): Promise<string>
  /** Ends ovsdb-server or vswitchd and starts it again, with the same database. */
  restart(what: 'ovsdb-server' | 'ovs-vswitchd'): Promise<void>
  kill(what: 'ovsdb-server' | 'ovs-vswitchd'): Promise<void>
  start(what: 'ovsdb-server' | 'ovs-vswitchd'): Promise<void>
  /** Stops a daemon's time, or lets it go on. */
  freeze(what: 'ovsdb-server' | 'ovs-vswitchd', frozen: boolean): void
  stop(): Promise<void>
}

type Daemon = 'ovsdb-server' | 'ovs-vswitchd'

/** `dummy`: devices of type `dummy` can be made, which need nothing of the kernel and take frames by `netdev-dummy/receive`. */
export async function startSwitch(options: { readonly tcp?: number; readonly dummy?: true } = {}): Promise<Switch> {
  await sweep()
  const rundir = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
  const env = { ...process.env, OVS_RUNDIR: rundir, OVS_DBDIR: rundir, OVS_LOGDIR: rundir, OVS_SYSCONFDIR: rundir }
  const database = join(rundir, 'db.sock')
  const children = new Map<Daemon, ChildProcess>()
  const args: Record<Daemon, string[]> = {
    'ovsdb-server': [
      join(rundir, 'conf.db'),
      `--remote=punix:${database}`,
      ...(options.tcp === undefined ? [] : [`--remote=ptcp:${options.tcp}:127.0.0.1`]),
    ],
    'ovs-vswitchd': [`unix:${database}`, '--disable-system', ...(options.dummy ? ['--enable-dummy'] : [])],
  }
  const sockets: Record<Daemon, string> = { 'ovsdb-server': database, 'ovs-vswitchd': join(rundir, 'ovs-vswitchd.ctl') }

  const start = async (daemon: Daemon): Promise<void> => {
    const common = [
      '-vconsole:off',
      '-vsyslog:off',
      '-vfile:info',
      `--log-file=${join(rundir, `${daemon}.log`)}`,
      `--unixctl=${join(rundir, `${daemon}.ctl`)}`,
    ]
    // The kernel ends the daemon when the test process is gone, even by SIGKILL. Two vswitchd in one network namespace would fight
    // for the link `ovs-netdev`; a namespace without a name goes away with its only process.
    const wrap = ['--pdeathsig', 'KILL', ...(daemon === 'ovs-vswitchd' ? ['unshare', '--net'] : [])]
    const child = spawn('setpriv', [...wrap, daemon, ...args[daemon], ...common], { env, stdio: 'ignore' })
    children.set(daemon, child)
    // The file of a socket is there a moment before anyone listens on it.
    await until(async () => (await listens(sockets[daemon])) || (child.exitCode !== null && fail(daemon, rundir)), `${daemon} to start`)
  }
  const kill = async (daemon: Daemon): Promise<void> => {
    const child = children.get(daemon)
    children.delete(daemon)
    if (child !== undefined) await end(child)
    await rm(sockets[daemon], { force: true })
  }
  const tool = async (command: string, ...rest: string[]): Promise<string> =>
    (await run(command, rest, { env, maxBuffer: 1 << 28, timeout: 60_000 })).stdout

  await run('ovsdb-tool', ['create', join(rundir, 'conf.db'), '/usr/share/openvswitch/vswitch.ovsschema'], { env })
  await start('ovsdb-server')
  // ovs-ctl writes the version, not vswitchd.
  await tool('ovs-vsctl', `--db=unix:${database}`, '--no-wait', '--', 'init', '--', 'set', 'Open_vSwitch', '.', 'ovs-version=3.1.0')
  await start('ovs-vswitchd')
  return {
    rundir,
    database,
    pid: () => children.get('ovs-vswitchd')?.pid ?? 0,
    vsctl: (...rest) => tool('ovs-vsctl', `--db=unix:${database}`, ...rest),
    ofctl: (...rest) => tool('ovs-ofctl', ...rest),
    appctl: (...rest) => tool('ovs-appctl', '-t', sockets['ovs-vswitchd'], ...rest),
    restart: async (daemon) => {
      await kill(daemon)
      await start(daemon)
    },
    kill,
    start,
    freeze: (daemon, frozen) => void children.get(daemon)?.kill(frozen ? 'SIGSTOP' : 'SIGCONT'),
    stop: async () => {
      for (const child of children.values()) await end(child)
      await rm(rundir, { recursive: true, force: true })
    },
  }
}

function listens(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const trial = createConnection(socket)
    trial.once('connect', () => {
      trial.destroy()
      resolve(true)
    })
    trial.once('error', () => resolve(false))
  })
}

const PREFIX = 'netloom-ovs-'

/** Folders of test processes that were killed; their daemons died with them. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await rm(join(tmpdir(), name), { recursive: true, force: true })
  }
}

async function fail(daemon: Daemon, rundir: string): Promise<never> {
  const log = await readFile(join(rundir, `${daemon}.log`), 'utf8').catch(() => '')
  throw new Error(`${daemon} ended: ${log.slice(-2000)}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 3_000)
  await gone
  clearTimeout(timer)
}

/** Waits until `condition` holds, at most 15 s. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (await condition()) return
    await sleep(5)
  }
  throw new Error(`gave up waiting for ${what}`)
}
