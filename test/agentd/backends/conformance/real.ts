import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Compiled } from '../../../../agentd/backends/backend.ts'
import type { Row } from '../../../../agentd/backends/ovs/compile/rows.ts'
import type { OvsValue } from '../../../../agentd/backends/ovs/compile/values.ts'
import { Unixctl } from '../../../../agentd/backends/ovs/driver/unixctl.ts'
import { formatFlow } from '../../../../agentd/backends/ovs/flow/format.ts'
import { type Switch, startSwitch } from '../ovs/switch.ts'

const run = promisify(execFile)

/**
 * A private switch of its own that holds what was compiled. Guests and NICs are OVS's dummy devices; the datapath is the userspace one that also forwards
 * real packets.
 */
export class RealSwitch {
  readonly directory: string
  readonly appctl: Unixctl
  readonly #switch: Switch

  private constructor(running: Switch, appctl: Unixctl) {
    this.directory = running.rundir
    this.appctl = appctl
    this.#switch = running
  }

  static async start(): Promise<RealSwitch> {
    const running = await startSwitch({ dummy: true })
    try {
      return new RealSwitch(running, await Unixctl.connect(join(running.rundir, 'ovs-vswitchd.ctl')))
    } catch (error) {
      await running.stop()
      throw error
    }
  }

  async close(): Promise<void> {
    this.appctl.close()
    await this.#switch.stop()
  }

  /** Runs a program in the switch's network namespace. */
  async inside(...command: readonly string[]): Promise<void> {
    await run('nsenter', ['-t', String(this.#switch.pid()), '-n', ...command])
  }

  async vsctl(...args: readonly string[]): Promise<string> {
    return (await this.#switch.vsctl('--timeout=20', ...args)).trim()
  }

  async ofctl(...args: readonly string[]): Promise<string> {
    return this.#switch.ofctl('-O', 'OpenFlow14', '--no-names', ...args)
  }

  /** Puts the compiled rows and flows into the switch; what was there of ours before is replaced. */
  async load(compiled: Compiled): Promise<void> {
    const values = [...compiled.items.values()].map((item) => item.value as OvsValue)
    const rows = values.flatMap((v) => (v.kind === 'row' ? [v.row] : []))
    await this.vsctl(...rows.flatMap((row) => rowCommand(row, rows)))
    for (const v of values) {
      if (v.kind !== 'meter') continue
      const { meter, unit, bands } = v.config
      const band = bands.map((b) => `type=${b.type},rate=${b.rate},burst_size=${b.burst}`).join()
      await this.ofctl('-O', 'OpenFlow14', 'add-meter', 'br-int', `meter=${meter},${unit},burst,bands=${band}`)
    }
    await this.replaceFlows(values.flatMap((v) => (v.kind === 'flow' ? [formatFlow(v.flow)] : [])))
  }

  /** The flows of br-int are these from now on, each as text. */
  async replaceFlows(flows: readonly string[]): Promise<void> {
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
