import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseFlow } from '../agentd/backends/ovs/flow/parse.ts'
import type { Flow } from '../agentd/backends/ovs/flow/types.ts'
import { OpenFlowClient } from '../agentd/backends/ovs/openflow/client.ts'
import { type Switch, startSwitch } from '../test/agentd/backends/ovs/switch.ts'
import { serveParent } from './support/child.ts'
import { type Figure, figure, median } from './support/figures.ts'

// Writing and reading flows over the bridge's management socket. Floor: ovs-ofctl on the same switch, with the same flows, its process start included.

serveParent(async ({ counts, singles }: { readonly counts: readonly number[]; readonly singles: number }): Promise<readonly Figure[]> => {
  const sw = await startSwitch()
  try {
    await sw.vsctl('add-br', 'br-int', '--', 'set', 'bridge', 'br-int', 'datapath_type=netdev', 'fail_mode=secure')
    const client = await OpenFlowClient.connect({ path: join(sw.rundir, 'br-int.mgmt') })
    const figures: Figure[] = []
    for (const count of counts) figures.push(...(await many(sw, client, count)))
    figures.push(...(await one(sw, client, singles)))
    client.close()
    return figures
  } finally {
    await sw.stop()
  }
})

async function many(sw: Switch, client: OpenFlowClient, count: number): Promise<readonly Figure[]> {
  const at = `${count.toLocaleString('en')} flows`
  const texts = Array.from({ length: count }, (_, n) => flowText(n))
  const file = join(sw.rundir, 'flows.txt')
  writeFileSync(file, texts.join('\n'))
  const native: number[] = []
  const tool: number[] = []
  for (let round = 0; round < 3; round++) {
    await sw.ofctl('-O', 'OpenFlow14', 'del-flows', 'br-int')
    tool.push(await took(() => sw.ofctl('-O', 'OpenFlow14', '--bundle', 'add-flows', 'br-int', file)))
    await sw.ofctl('-O', 'OpenFlow14', 'del-flows', 'br-int')
    const flows = texts.map(parseFlow)
    native.push(await took(() => client.applyBundle(flows.map((flow) => ({ command: 'add', flow })))))
  }
  const read: number[] = []
  const toolRead: number[] = []
  for (let round = 0; round < 3; round++) {
    toolRead.push(await took(() => dumpByTool(sw)))
    let found: readonly unknown[] = []
    read.push(
      await took(async () => {
        found = (await client.dumpFlows()).flows
      }),
    )
    if (found.length !== count) throw new Error(`${found.length} flows read of ${count} written`)
  }
  const rate = (ms: number): number => (count / ms) * 1000
  return [
    figure(at, 'written in one bundle', 'flows/s', native.map(rate), {
      floor: { what: 'ovs-ofctl --bundle add-flows', value: rate(median(tool)) },
      target: { timesFloor: 1.5 },
    }),
    figure(at, 'dump', 'ms', read, { floor: { what: 'ovs-ofctl dump-flows', value: median(toolRead) } }),
  ]
}

async function one(sw: Switch, client: OpenFlowClient, times: number): Promise<readonly Figure[]> {
  const native: number[] = []
  const tool: number[] = []
  for (let n = 0; n < times; n++) {
    const flow: Flow = parseFlow(flowText(1_000_000 + n))
    native.push(await took(() => client.applyBundle([{ command: 'add', flow }])))
    if (n < 20) tool.push(await took(() => sw.ofctl('-O', 'OpenFlow14', 'add-flow', 'br-int', flowText(2_000_000 + n))))
  }
  return [figure('1 flow', 'written in a bundle of its own', 'ms', native, { floor: { what: 'ovs-ofctl add-flow', value: median(tool) } })]
}

async function dumpByTool(sw: Switch): Promise<void> {
  await promisify(execFile)('ovs-ofctl', ['-O', 'OpenFlow14', 'dump-flows', 'br-int'], {
    env: { ...process.env, OVS_RUNDIR: sw.rundir },
    maxBuffer: 1 << 28,
  })
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** As a port's own flows are: a match on registers, a MAC and an address; several actions. */
function flowText(n: number): string {
  const mac = `fa:16:3e:${[16, 8, 0].map((bits) => ((n >> bits) & 255).toString(16).padStart(2, '0')).join(':')}`
  const ip = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
  return `cookie=0x4e4c${(n % 65_536).toString(16).padStart(4, '0')},table=20,priority=100,ip,reg1=0x${(n % 4096).toString(16)},dl_src=${mac},nw_src=${ip},actions=load:0x${(n % 65_536).toString(16)}->NXM_NX_REG2[],load:0x1->NXM_NX_REG3[0..3],resubmit(,30)`
}
