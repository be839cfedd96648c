import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { DriverOptions, Item } from '../../backend.ts'
import type { FlowValue } from '../compile/values.ts'
import { formatFlow } from '../flow/format.ts'
import { parseFlow } from '../flow/parse.ts'
import type { Flow } from '../flow/types.ts'
import { run } from './exec.ts'
import { type FlowTables, sortFlows } from './flow-table.ts'

export interface FlowChannelOptions {
  readonly path: string
  readonly log: DriverOptions['log']
  readonly onChange: () => void
}

export interface CountedFlow {
  readonly flow: Flow
  readonly packets: bigint
  readonly bytes: bigint
}

export class FlowChannel {
  readonly #options: FlowChannelOptions
  #tables: FlowTables | undefined

  constructor(options: FlowChannelOptions) {
    this.#options = options
  }

  async tables(fresh: boolean): Promise<FlowTables> {
    if (fresh || this.#tables === undefined) this.#tables = sortFlows((await this.dump()).map((f) => f.flow))
    return this.#tables
  }

  held(key: string): Item | undefined {
    return this.#tables?.own.get(key)
  }

  async dump(): Promise<CountedFlow[]> {
    for (let i = 0; i < 100 && !existsSync(this.#options.path); i++) await new Promise((r) => setTimeout(r, 20))
    const text = await run('ovs-ofctl', ['-O', 'OpenFlow14', '--no-names', 'dump-flows', `unix:${this.#options.path}`])
    return text
      .split('\n')
      .filter((l) => l.includes('actions='))
      .map((line) => {
        const packets = BigInt(/n_packets=(\d+)/.exec(line)?.[1] ?? 0)
        const bytes = BigInt(/n_bytes=(\d+)/.exec(line)?.[1] ?? 0)
        return { flow: parseFlow(line.trim()), packets, bytes }
      })
  }

  async write(
    flows: readonly { readonly before?: Item; readonly after: Item }[],
    gone: readonly Item[],
    failed: Map<string, string>,
  ): Promise<void> {
    for (let i = 0; i < 100 && !existsSync(this.#options.path); i++) await new Promise((r) => setTimeout(r, 20))
    const flowOf = (item: Item): Flow => (item.value as FlowValue).flow
    const lines = [
      ...gone.map(
        (i) =>
          `delete_strict ${formatFlow(flowOf(i))
            .replace(/ actions=.*/, '')
            .replace(/cookie=[^,]*, /, '')}`,
      ),
      ...flows.map(({ after }) => `add ${formatFlow(flowOf(after))}`),
    ]
    try {
      await new Promise<void>((resolve, reject) => {
        const p = spawn('ovs-ofctl', ['-O', 'OpenFlow14', '--bundle', 'add-flows', `unix:${this.#options.path}`, '-'])
        let err = ''
        p.stderr.on('data', (d) => (err += d))
        p.on('close', (code) => (code === 0 ? resolve() : reject(new Error(err))))
        p.stdin.end(`${lines.join('\n')}\n`)
      })
    } catch (error) {
      for (const item of [...flows.map((f) => f.after), ...gone]) failed.set(item.key, String(error))
    }
    await this.tables(true)
  }

  async close(): Promise<void> {}
}
