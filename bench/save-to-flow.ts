import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Flow } from '../agentd/backends/ovs/flow/types.ts'
import { OpenFlowClient } from '../agentd/backends/ovs/openflow/client.ts'
import { serveParent } from './support/child.ts'
import { type Figure, figure } from './support/figures.ts'
import { hostFile, hostPortKey, hostPortLine, plugArguments, setUp } from './support/host-ports.ts'
import { rawFloor } from './support/raw-floor.ts'
import { writeRepo } from './support/repo-files.ts'
import { type Rig, startRig } from './support/rig.ts'

// From saving a file to flows in OVS and the report that says so. The flows are seen by a monitor of our own, not by the agent's word alone.

interface Params {
  readonly ports: number
  readonly saves: number
}

interface Samples {
  /** Saved until the watcher hands the new state on, the second reading included. */
  readonly seen: number[]
  /** Until the revision is committed and published. */
  readonly server: number[]
  /** Until the last flow is in the switch. */
  readonly flows: number[]
  /** Until the report that the port is ACTIVE has arrived. */
  readonly reported: number[]
  readonly all: number[]
  /** What the agent says of its own work. */
  readonly agent: number[]
}

/** Ports on the host at first; each save adds one. */
const FIRST = 20
const QUIET_MS = 400

serveParent(async (params: Params): Promise<readonly Figure[]> => {
  const rig = await startRig({
    write: (repo) => {
      writeRepo(repo, { ports: params.ports, perFile: 100 })
      writeFileSync(join(repo, 'h1.yaml'), hostFile(FIRST))
    },
  })
  try {
    return await measure(rig, params)
  } finally {
    await rig.stop()
  }
})

async function measure(rig: Rig, { ports, saves }: Params): Promise<readonly Figure[]> {
  const agent = await rig.startAgent()
  await rig.report((r) => r.converged && r.revision > 0, 'the first target')
  const plugged = rig.report(() => rig.active.has(hostPortKey(FIRST - 1)), 'the first ports')
  await rig.sw.vsctl(...plugArguments(FIRST + saves, 'internal'))
  await setUp(rig.sw, FIRST + saves)
  await plugged
  await sleep(2500)
  const flows: { at: number; added: Flow[] } = { at: -1, added: [] }
  const client = await OpenFlowClient.connect({ path: join(rig.sw.rundir, 'br-int.mgmt') })
  await client.monitorFlows({}, (event) => {
    if (event.kind !== 'added' && event.kind !== 'modified') return
    flows.at = performance.now()
    flows.added.push(event.flow)
  })
  const samples: Samples = { seen: [], server: [], flows: [], reported: [], all: [], agent: [] }
  for (let n = FIRST; n < FIRST + saves; n++) await save(rig, n, flows, samples)
  const written = flows.added.length
  await agent.stop()
  const floor = await rawFloor(rig.sw, client, flows.added, saves)
  client.close()
  return figuresOf(`${ports.toLocaleString('en')} ports`, samples, floor, written)
}

async function save(rig: Rig, n: number, flows: { at: number; added: Flow[] }, samples: Samples): Promise<void> {
  await sleep(QUIET_MS)
  rig.forget()
  flows.added = []
  const active = rig.report((r) => r.objects.some((o) => o.key === hostPortKey(n) && o.state === 'ACTIVE'), `port ${n}`, 20_000)
  const began = performance.now()
  appendFileSync(join(rig.repo, 'h1.yaml'), hostPortLine(n))
  const { at, report } = await active
  const { seen, revision } = rig.last
  samples.seen.push(seen - began)
  samples.server.push(revision - seen)
  samples.flows.push(flows.at - revision)
  samples.reported.push(at - flows.at)
  samples.all.push(at - began)
  samples.agent.push(report.timings?.['total'] ?? Number.NaN)
}

function figuresOf(at: string, samples: Samples, raw: number, written: number): readonly Figure[] {
  const floor = { what: 'raw OVSDB transaction and bundle', value: raw }
  return [
    figure(at, 'saved → flows and report', 'ms', samples.all, { floor, target: { atMost: 150 } }),
    figure(at, '  saved → seen', 'ms', samples.seen),
    figure(at, '  server: plan, commit, publish', 'ms', samples.server, { target: { atMost: 20 } }),
    figure(at, '  committed → flows in OVS', 'ms', samples.flows, { floor, target: { atMost: 25 } }),
    figure(at, '  flows in OVS → reported', 'ms', samples.reported),
    figure(at, 'agent: compile, write, read back', 'ms', samples.agent),
    figure(at, 'flows written for the last port', 'items', [written]),
  ]
}
