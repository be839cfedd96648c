import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Compiled } from '../../../../agentd/backends/backend.ts'
import type { Row } from '../../../../agentd/backends/ovs/compile/rows.ts'
import type { OvsValue } from '../../../../agentd/backends/ovs/compile/values.ts'
import { formatFlow } from '../../../../agentd/backends/ovs/flow/format.ts'
import { Unixctl } from './unixctl.ts'

const run = promisify(execFile)

/**
 * A real ovs-vswitchd with a database of its own, in a network namespace that ends with it; both die with the test, whatever ends that. Guests and NICs are
 * OVS's dummy devices; the datapath is the userspace one that also forwards real packets.
 */
export class RealSwitch {
  readonly directory: string
  readonly appctl: Unixctl
  readonly #processes: readonly ChildProcess[]
  readonly #pid: number

  private constructor(directory: string, appctl: Unixctl, processes: readonly ChildProcess[], pid: number) {
    this.directory = directory
    this.appctl = appctl
    this.#processes = processes
    this.#pid = pid
  }

  static async start(): Promise<RealSwitch> {
    const directory = await mkdtemp(join(tmpdir(), 'netloom-conf-'))
    const at = (name: string): string => join(directory, name)
    const environment = { ...process.env, OVS_RUNDIR: directory, OVS_LOGDIR: directory, OVS_DBDIR: directory }
    await run('ovsdb-tool', ['create', at('conf.db'), '/usr/share/openvswitch/vswitch.ovsschema'])
    const quiet = ['-vconsole:off', '-vsyslog:off', '-vfile:off']
    const server = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', 'ovsdb-server', at('conf.db'), `--remote=punix:${at('db.sock')}`, `--unixctl=${at('ovsdb.ctl')}`, ...quiet],
      { env: environment, stdio: 'ignore' },
    )
    const processes: ChildProcess[] = [server]
    try {
      await until(at('db.sock'), server)
      await run('ovs-vsctl', [`--db=unix:${at('db.sock')}`, '--no-wait', 'init'])
      const options = [`unix:${at('db.sock')}`, '--disable-system', '--enable-dummy', `--unixctl=${at('vswitchd.ctl')}`, ...quiet]
      const daemon = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '-n', 'ovs-vswitchd', ...options], {
        env: environment,
        stdio: 'ignore',
      })
      processes.push(daemon)
      await until(at('vswitchd.ctl'), daemon)
      const made = new RealSwitch(directory, await Unixctl.connect(at('vswitchd.ctl')), processes, daemon.pid ?? 0)
      return made
    } catch (error) {
      await end(processes, directory)
      throw error
    }
  }

  async close(): Promise<void> {
    this.appctl.close()
    await end(this.#processes, this.directory)
  }

  /** Runs a program in the switch's network namespace. */
  async inside(...command: readonly string[]): Promise<void> {
    await run('nsenter', ['-t', String(this.#pid), '-n', ...command])
  }

  async vsctl(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('ovs-vsctl', [`--db=unix:${join(this.directory, 'db.sock')}`, '--timeout=20', ...args])
    return stdout.trim()
  }

  /** Everything the flows of a bridge hold, as ovs-ofctl shows it. */
  async ofctl(...args: readonly string[]): Promise<string> {
    const env = { ...process.env, OVS_RUNDIR: this.directory }
    const { stdout } = await run('ovs-ofctl', ['-O', 'OpenFlow14', '--no-names', ...args], { env, maxBuffer: 1 << 28 })
    return stdout
  }

  /** Puts the compiled rows and flows into the switch; what was there of ours before is replaced. */
  async load(compiled: Compiled): Promise<void> {
    const values = [...compiled.items.values()].map((item) => item.value as OvsValue)
    const rows = values.flatMap((v) => (v.kind === 'row' ? [v.row] : []))
    await this.vsctl(...rows.flatMap((row) => rowCommand(row, rows)))
    const flows = values.flatMap((v) => (v.kind === 'flow' ? [formatFlow(v.flow)] : []))
    const file = join(this.directory, 'flows')
    await writeFile(file, `${flows.join('\n')}\n`)
    await this.ofctl('--bundle', 'replace-flows', 'br-int', file)
  }
}

/** One `ovs-vsctl` command per row, joined by `--`. Interfaces are set together with their port. */
function rowCommand(row: Row, all: readonly Row[]): string[] {
  if (row.table === 'Interface') return []
  const settings = Object.entries(row.columns).flatMap(([column, value]) => setting(column, value))
  if (row.table === 'Bridge') return ['--', '--may-exist', 'add-br', row.name, '--', 'set', 'Bridge', row.name, ...settings]
  const device = all.find((r) => r.table === 'Interface' && r.name === row.name)
  const device_settings = Object.entries(device?.columns ?? {}).flatMap(([column, value]) => setting(column, value))
  return ['--', '--may-exist', 'add-port', row.parent ?? '', row.name, ...settings, '--', 'set', 'Interface', row.name, ...device_settings]
}

function setting(column: string, value: Row['columns'][string]): string[] {
  if (value === null) return []
  if (typeof value !== 'object') return [`${column}=${value === '' ? '""' : value}`]
  if (isList(value)) return [`${column}=${value.join(',')}`]
  return Object.entries(value).map(([key, text]) => `${column}:${key}="${text}"`)
}

function isList(value: object): value is readonly string[] {
  return Array.isArray(value)
}

/** A socket's file is there a moment before anyone listens on it. */
async function until(socket: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await listens(socket)) return
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`${child.spawnfile} did not come up`)
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

async function end(processes: readonly ChildProcess[], directory: string): Promise<void> {
  for (const child of [...processes].reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  await rm(directory, { recursive: true, force: true })
}
