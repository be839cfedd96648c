import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Flow } from '../agentd/backends/ovs/flow/types.ts'
import { OpenFlowClient } from '../agentd/backends/ovs/openflow/client.ts'
import type { JsonObject } from '../src/model/brand.ts'
import { makeKey } from '../src/model/key.ts'
import type { Declared } from '../src/model/resource.ts'
import { createContext } from '../src/server/context.ts'
import { admitWorld, EMPTY_LEDGER, knownHosts, moveTargets } from '../src/server/hub/ledger.ts'
import { publications } from '../src/server/hub/publication.ts'
import { serveParent } from './support/child.ts'
import { type Figure, figure } from './support/figures.ts'
import { hostPortId, plugArguments, setUp } from './support/host-ports.ts'
import { rawFloor } from './support/raw-floor.ts'
import { type Rig, startRig } from './support/rig.ts'

// A security group that a thousand ports are in and whose members may talk to each other: a rule is added to it, then a member on another host. Real switch, server and
// netloom-agentd; what a host hears of it is counted as the server packs it.

interface Params {
  /** Ports of the group on the host that is measured. */
  readonly here: number
  /** Ports of the group on other hosts, twenty on each. */
  readonly elsewhere: number
  readonly saves: number
}

const PER_HOST = 20
const QUIET_MS = 300

serveParent(async (params: Params): Promise<readonly Figure[]> => {
  const rig = await startRig({
    write: (repo) => {
      writeFileSync(join(repo, 'netloom.yaml'), 'installation: bench\n')
      for (const [kind, name, specs] of worldOf(params)) writeFileSync(join(repo, `${name}.yaml`), fileOf(kind, specs))
    },
  })
  try {
    return await measure(rig, params)
  } finally {
    await rig.stop()
  }
})

interface Samples {
  readonly all: readonly number[]
  readonly agent: readonly number[]
  readonly flows: readonly number[]
  /** What the last save wrote. */
  readonly last: readonly Flow[]
}

async function measure(rig: Rig, params: Params): Promise<readonly Figure[]> {
  const agent = await rig.startAgent()
  await rig.report((r) => r.converged && r.revision > 0, 'the first target')
  const plugged = rig.report((r) => r.converged && rig.active.size >= params.here, 'the first ports')
  await rig.sw.vsctl(...plugArguments(params.here, 'internal'))
  await setUp(rig.sw, params.here)
  let { revision } = (await plugged).report
  await sleep(3000)
  const written: Flow[] = []
  const client = await OpenFlowClient.connect({ path: join(rig.sw.rundir, 'br-int.mgmt') })
  await client.monitorFlows({}, (event) => {
    if (event.kind === 'added' || event.kind === 'modified') written.push(event.flow)
  })
  const saves = async (name: string, kind: string, specsAt: (n: number) => Specs): Promise<Samples> => {
    const samples = { all: [] as number[], agent: [] as number[], flows: [] as number[] }
    for (let n = 1; n <= params.saves; n++) {
      await sleep(QUIET_MS)
      written.length = 0
      const done = rig.report((r) => r.converged && r.revision > revision, 'the change', 20_000)
      const began = performance.now()
      writeFileSync(join(rig.repo, `${name}.yaml`), fileOf(kind, specsAt(n)))
      const { at, report } = await done
      revision = report.revision
      samples.all.push(at - began)
      samples.agent.push(report.timings?.['total'] ?? Number.NaN)
      samples.flows.push(written.length)
    }
    return { ...samples, last: [...written] }
  }
  const rule = await saves('groups', 'security_group', groupWith)
  const member = await saves('late', 'port', latePorts)
  await agent.stop()
  const floors = { rule: await rawFloor(rig.sw, client, rule.last, 20), member: await rawFloor(rig.sw, client, member.last, 20) }
  client.close()
  const at = `group of ${(params.here + params.elsewhere).toLocaleString('en')} ports, ${params.here.toLocaleString('en')} of them here`
  return [
    ...figuresOf(at, 'a rule is added', rule, floors.rule),
    ...figuresOf(at, 'a member is added elsewhere', member, floors.member),
    figure(at, '  what each host hears of the member', 'B', bytesPerHost(params)),
  ]
}

function figuresOf(at: string, what: string, { all, agent, flows }: Samples, raw: number): readonly Figure[] {
  const floor = { what: 'raw OVSDB transaction and bundle', value: raw }
  return [
    figure(at, `${what}: saved → flows and report`, 'ms', all, { floor }),
    figure(at, '  agent: compile, write, read back', 'ms', agent, { floor, target: { atMost: 100 } }),
    figure(at, '  flows written', 'items', flows),
  ]
}

/** Sizes of the messages by which hosts with ports of the group hear of one more member. */
function bytesPerHost(params: Params): readonly number[] {
  const { engine } = createContext()
  const options = { now: Date.now() }
  const set = worldOf(params).flatMap(([kind, , specs]) => declaredOf(kind, specs))
  const before = engine.step(engine.empty(), { set, del: [] }, options).world
  const after = engine.step(before, { set: declaredOf('port', latePorts(1)), del: [] }, options).world
  const first = admitWorld(EMPTY_LEDGER, 1, before)
  const second = admitWorld(moveTargets(first, knownHosts(first, 1), 1).ledger, 2, after)
  // The host of the port hears of the port as well.
  const moves = moveTargets(second, knownHosts(second, 2), 2).moves.filter((m) => m.host !== hostName(0))
  return [...publications('epoch', moves)].map((frames) => frames.reduce((sum, frame) => sum + Buffer.byteLength(frame), 0))
}

type Specs = Readonly<Record<string, JsonObject>>

/** Kind, file and resources of the repository at first. */
function worldOf({ here, elsewhere }: Params): readonly (readonly [kind: string, file: string, specs: Specs])[] {
  const hosts = Array.from({ length: Math.max(1, Math.ceil(elsewhere / PER_HOST)) }, (_, n): [string, JsonObject] => [
    hostName(n),
    { tunnel_ip: `192.0.2.${n + 1}` },
  ])
  const ports = Array.from({ length: here + elsewhere }, (_, n): [string, JsonObject] => [
    `port-${n}`,
    { ...portSpec(n, n < here ? 'h1' : hostName(Math.floor((n - here) / PER_HOST))), ...(n < here ? { id: hostPortId(n) } : {}) },
  ])
  return [
    ['host', 'hosts', { h1: { tunnel_ip: '198.51.100.1' }, ...Object.fromEntries(hosts) }],
    ['network', 'networks', { blue: { network_type: 'vxlan' } }],
    ['subnet', 'subnets', { v4: { network: 'blue', cidr: '172.16.0.0/16' }, v6: { network: 'blue', cidr: 'fd00:16::/64' } }],
    ['security_group', 'groups', groupWith(0)],
    ['port', 'ports', Object.fromEntries(ports)],
    ['port', 'late', latePorts(0)],
  ]
}

function hostName(n: number): string {
  return `far-${n}`
}

/** Members may talk to each other, the world may ping, and talk to `rules` ports. */
function groupWith(rules: number): Specs {
  const open = Array.from({ length: rules }, (_, n) => ({
    direction: 'ingress',
    protocol: 'tcp',
    port_range_min: 8000 + n,
    port_range_max: 8000 + n,
  }))
  const always = [
    { direction: 'ingress', remote_group: 'web' },
    { direction: 'ingress', protocol: 'icmp' },
  ]
  return { web: { rules: [...always, ...open] } }
}

/** One port of another host, and `count` more. */
function latePorts(count: number): Specs {
  return Object.fromEntries(Array.from({ length: count + 1 }, (_, n) => [`late-${n}`, portSpec(60_000 + n, hostName(0))]))
}

function portSpec(n: number, host: string): JsonObject {
  const ips = [{ ip_address: `172.16.${(n + 10) >> 8}.${(n + 10) & 255}` }, { ip_address: `fd00:16::${(n + 10).toString(16)}` }]
  return { network: 'blue', host, security_groups: ['web'], fixed_ips: ips }
}

/** JSON is YAML. */
function fileOf(kind: string, specs: Specs): string {
  const lines = Object.entries(specs).map(([name, spec]) => `  ${name}: ${JSON.stringify(spec)}\n`)
  const head = kind === 'host' ? '' : 'project: shop\n'
  return `${head}${kind}s:\n${lines.join('')}`
}

function declaredOf(kind: string, specs: Specs): readonly Declared[] {
  const project = kind === 'host' ? '' : 'shop'
  const key = (name: string): Declared['key'] => makeKey(kind, project, name)
  return Object.entries(specs).map(([name, spec]) => ({ key: key(name), kind, project, name, spec }))
}
