import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startSwitch } from '../test/agentd/backends/ovs/switch.ts'
import { serveParent } from './support/child.ts'
import { type Figure, figure } from './support/figures.ts'
import { hostFile, hostPortKey, makeVeths, plugArguments } from './support/host-ports.ts'
import { cpuMs, residentMb } from './support/process-usage.ts'
import { type AgentProcess, type Rig, startRig } from './support/rig.ts'

// Many veth ports onto one empty host at once, then the agent at rest and started again. Floor: the same transaction and flows by hand on a switch without agent.

interface Params {
  readonly ports: number
  readonly idleSeconds: number
}

interface Measured {
  readonly attachedMs: number
  readonly pluggedMs: number
  readonly rssMb: number
  readonly settleMs: number
  readonly idlePercent: number
  readonly restartMs: number
  readonly rewritten: number
  readonly flows: readonly string[]
}

const MS_PER_PERCENT = 10
/** Some eight seconds after a burst V8 collects what it left, with all its threads (seen: three times in 1.4 s); rest begins after that. */
const SETTLE_SECONDS = 20

serveParent(async (params: Params): Promise<readonly Figure[]> => {
  const rig = await startRig({
    write: (repo) => {
      writeFileSync(join(repo, 'netloom.yaml'), 'installation: bench\n')
      writeFileSync(join(repo, 'h1.yaml'), hostFile(params.ports))
    },
  })
  let measured: Measured
  try {
    measured = await measure(rig, params)
  } finally {
    await rig.stop()
  }
  return figuresOf(params, measured, await floorMs(params.ports, measured.flows))
})

async function measure(rig: Rig, { ports, idleSeconds }: Params): Promise<Measured> {
  await makeVeths(rig.sw, ports)
  const first = rig.report((r) => r.converged && r.revision > 0, 'the first target')
  const agent = await rig.startAgent()
  await first
  await sleep(1000)
  const began = performance.now()
  const all = rig.report(() => allActive(rig, ports), 'all ports')
  const [attachedMs, pluggedMs] = await Promise.all([
    all.then(({ at }) => at - began),
    rig.sw.vsctl(...plugArguments(ports)).then(() => performance.now() - began),
  ])
  await sleep(3000)
  const rssMb = residentMb(agent.pid)
  const used = cpuMs(agent.pid)
  await sleep(SETTLE_SECONDS * 1000)
  const settled = cpuMs(agent.pid)
  await sleep(idleSeconds * 1000)
  const idlePercent = (cpuMs(agent.pid) - settled) / (idleSeconds * MS_PER_PERCENT)
  const dump = await rig.sw.ofctl('-O', 'OpenFlow14', '--no-stats', 'dump-flows', 'br-int')
  const flows = dump.split('\n').filter((line) => line.includes('actions='))
  await agent.stop()
  const restart = await startAgain(rig, ports)
  return { attachedMs, pluggedMs, rssMb, settleMs: settled - used, idlePercent, flows, ...restart }
}

function allActive(rig: Rig, ports: number): boolean {
  for (let n = 0; n < ports; n++) if (!rig.active.has(hostPortKey(n))) return false
  return true
}

async function startAgain(rig: Rig, ports: number): Promise<Pick<Measured, 'restartMs' | 'rewritten'>> {
  const began = performance.now()
  const before = rig.epoch()
  const converged = rig.report((r) => r.epoch !== before && r.converged && allActive(rig, ports), 'convergence after a restart')
  const agent: AgentProcess = await rig.startAgent()
  const restartMs = (await converged).at - began
  await sleep(1000)
  await agent.stop()
  return { restartMs, rewritten: itemsWritten(agent.log()) }
}

function itemsWritten(log: string): number {
  const lines = log.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as { written?: number }).reduce((sum, { written = 0 }) => sum + written, 0)
}

async function floorMs(ports: number, flows: readonly string[]): Promise<number> {
  const sw = await startSwitch()
  try {
    await makeVeths(sw, ports)
    await sw.vsctl('add-br', 'br-int', '--', 'set', 'bridge', 'br-int', 'datapath_type=netdev', 'fail_mode=secure')
    const file = join(sw.rundir, 'flows')
    writeFileSync(file, flows.join('\n'))
    await sleep(1000)
    const began = performance.now()
    await sw.vsctl(...plugArguments(ports))
    await sw.ofctl('-O', 'OpenFlow14', '--bundle', 'add-flows', 'br-int', file)
    return performance.now() - began
  } finally {
    await sw.stop()
  }
}

function figuresOf({ ports, idleSeconds }: Params, measured: Measured, floor: number): readonly Figure[] {
  const at = `${ports.toLocaleString('en')} veth ports`
  return [
    figure(at, 'plugged → flows in OVS and reported', 'ms', [measured.attachedMs], {
      floor: { what: 'vswitchd alone: the same rows, then the same flows', value: floor },
      target: { timesFloor: 1.5 },
    }),
    figure(at, '  of which until ovs-vsctl returned', 'ms', [measured.pluggedMs]),
    figure(at, 'flows on the host', 'items', [measured.flows.length]),
    figure(at, 'agent started again → converged', 'ms', [measured.restartMs]),
    figure(at, 'items that it then wrote', 'items', [measured.rewritten], { target: { atMost: 0 } }),
    figure(at, 'agent memory', 'MB', [measured.rssMb], ports <= 500 ? { target: { atMost: 120 } } : {}),
    figure(at, `agent CPU while it settles, ${SETTLE_SECONDS} s`, 'ms', [measured.settleMs]),
    figure(at, `agent CPU at rest, over ${idleSeconds} s`, '%', [measured.idlePercent], { target: { atMost: 1 } }),
  ]
}
