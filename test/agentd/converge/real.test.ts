import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import type { Driver, IntentSet } from '../../../agentd/backends/backend.ts'
import { createOvsCompiler } from '../../../agentd/backends/ovs/compile/compile.ts'
import { openOvsDriver } from '../../../agentd/backends/ovs/driver/driver.ts'
import { type ConvergeResult, type Converger, createConverger } from '../../../agentd/converge/converger.ts'
import type { Intent } from '../../../src/model/intent.ts'
import { makeKey } from '../../../src/model/key.ts'
import { FABRIC, hostScope, type IntentKey, intentKey, networkScope, type Scope } from '../../../src/model/scope.ts'
import { type Switch, startSwitch } from '../backends/ovs/switch.ts'

const run = promisify(execFile)
const blue = makeKey('network', 'default', 'blue')
const portKey = (n: number) => makeKey('port', 'default', `p${n}`)
const idOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const macOf = (n: number): string => `fa:16:3e:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`

/** A host with `count` external ports on one VXLAN network, and one port elsewhere. */
function intents(count: number): IntentSet {
  const own = new Map<IntentKey, Intent>()
  const net = new Map<IntentKey, Intent>()
  own.set(intentKey('host', 'h1'), {
    type: 'host',
    host: 'h1',
    tunnel_ip: '192.0.2.1',
    bridge_mappings: {},
    installation: 'test',
    drift: { mode: 'repair', schedule: '*/5 * * * *' },
  })
  net.set(intentKey('segment', blue), {
    type: 'segment',
    network: blue,
    network_type: 'vxlan',
    segmentation_id: 77,
    mtu: 1450,
    admin_state_up: true,
  })
  for (let n = 1; n <= count; n++) {
    own.set(intentKey('attach', portKey(n)), {
      type: 'attach',
      port: portKey(n),
      id: idOf(n),
      network: blue,
      mac: macOf(n),
      admin_state_up: true,
      mtu: 1450,
      plug: { by: 'external' },
      port_security_enabled: true,
      allowed: [{ mac: macOf(n), prefix: `10.0.${n >> 8}.${n & 255}/32` }],
      addresses: [`10.0.${n >> 8}.${n & 255}/16`],
    })
    net.set(intentKey('location', portKey(n)), location(n, 'h1'))
  }
  net.set(intentKey('location', portKey(9999)), location(9999, 'h2'))
  const fabric = new Map<IntentKey, Intent>([
    [intentKey('endpoint', 'h1'), { type: 'endpoint', host: 'h1', tunnel_ip: '192.0.2.1' }],
    [intentKey('endpoint', 'h2'), { type: 'endpoint', host: 'h2', tunnel_ip: '192.0.2.2' }],
  ])
  return new Map<Scope, ReadonlyMap<IntentKey, Intent>>([
    [FABRIC, fabric],
    [hostScope('h1'), own],
    [networkScope(blue), net],
  ])
}

function location(n: number, host: string): Intent {
  return {
    type: 'location',
    port: portKey(n),
    network: blue,
    host,
    mac: macOf(n),
    ips: [`10.0.${n >> 8}.${n & 255}`],
    port_security_enabled: true,
    admin_state_up: true,
  }
}

interface Rig {
  readonly sw: Switch
  readonly driver: Driver
  readonly converger: Converger
  readonly results: ConvergeResult[]
  last(): ConvergeResult
  settle(done: (result: ConvergeResult) => boolean): Promise<ConvergeResult>
  stop(): Promise<void>
}

async function rig(): Promise<Rig> {
  const sw = await startSwitch()
  const driver = await openOvsDriver({ host: 'h1', installation: 'test', rundir: sw.rundir, log: () => {} })
  const results: ConvergeResult[] = []
  const converger = createConverger({
    host: 'h1',
    installation: 'test',
    compiler: createOvsCompiler(),
    driver,
    mode: 'repair',
    allocations: {},
    saveAllocations: async () => {},
    onResult: (r) => results.push(r),
    now: Date.now,
    backoff: () => 200,
    setTimer: (ms, fn) => {
      const t = setTimeout(fn, ms)
      return { cancel: () => clearTimeout(t) }
    },
    log: () => {},
  })
  const last = (): ConvergeResult => {
    const r = results.at(-1)
    if (r === undefined) throw new Error('no result yet')
    return r
  }
  return {
    sw,
    driver,
    converger,
    results,
    last,
    async settle(done) {
      for (let i = 0; i < 400; i++) {
        const r = results.at(-1)
        if (r !== undefined && done(r)) return r
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
      throw new Error(`did not settle; last: ${JSON.stringify({ ...last(), statuses: [...last().statuses.values()], facts: undefined })}`)
    },
    async stop() {
      await converger.close()
      await driver.close()
      await sw.stop()
    },
  }
}

async function plug(sw: Switch, n: number): Promise<void> {
  await sw.vsctl('add-port', 'br-int', `t${n}`, '--', 'set', 'Interface', `t${n}`, 'type=internal', `external_ids:iface-id=${idOf(n)}`)
  await run('nsenter', ['-t', String(sw.pid()), '-n', 'ip', 'link', 'set', `t${n}`, 'up'])
}

test('a host converges, waits for its ports, repairs drift, and writes nothing the second time', async (t) => {
  const r = await rig()
  t.teardown(() => r.stop())
  r.converger.setTarget({ revision: 1, intents: intents(2) })
  await r.settle((x) => x.statuses.get(portKey(1))?.state === 'WAITING')
  t.is((await r.sw.vsctl('get', 'Bridge', 'br-int', 'fail_mode')).trim(), 'secure')
  await plug(r.sw, 1)
  await plug(r.sw, 2)
  await r.settle((x) => x.converged && x.statuses.get(portKey(2))?.state === 'ACTIVE')
  await r.converger.idle()

  const before = await r.sw.ofctl('-O', 'OpenFlow14', '--no-stats', 'dump-flows', 'br-int')
  r.converger.recheck()
  await r.converger.idle()
  t.is(r.last().written, 0)

  await r.sw.ofctl('-O', 'OpenFlow14', '--strict', 'del-flows', 'br-int', 'table=0,priority=0')
  await r.sw.ofctl('-O', 'OpenFlow14', 'add-flow', 'br-int', 'cookie=0x7,table=0,priority=9,in_port=99,actions=drop')
  await r.settle((x) => x.drift.some((d) => d.kind === 'foreign'))
  await r.converger.idle()
  const kinds = r.results.flatMap((x) => x.drift.map((d) => d.kind))
  t.true(kinds.includes('foreign'))
  await r.sw.ofctl('-O', 'OpenFlow14', 'del-flows', 'br-int', 'cookie=0x7/-1')
  t.is(await r.sw.ofctl('-O', 'OpenFlow14', '--no-stats', 'dump-flows', 'br-int'), before)
})

test('a host that is to hold nothing: rows and flows go, the bridge only when nobody else has a port on it', async (t) => {
  const r = await rig()
  t.teardown(() => r.stop())
  r.converger.setTarget({ revision: 1, intents: intents(1) })
  await r.settle((x) => x.statuses.get(portKey(1))?.state === 'WAITING')
  await plug(r.sw, 1)
  await r.settle((x) => x.converged && x.statuses.get(portKey(1))?.state === 'ACTIVE')
  r.converger.setTarget({ revision: 2, intents: new Map() })
  const left = await r.settle((x) => x.revision === 2 && x.converged)
  t.is(left.statuses.size, 0)
  t.is((await r.sw.vsctl('list-ports', 'br-int')).trim(), 't1')
  t.is((await r.sw.ofctl('-O', 'OpenFlow14', '--no-stats', 'dump-flows', 'br-int')).trim(), '')

  // Whoever plugs between the look and the removal keeps the bridge.
  const { items } = await r.driver.observe()
  t.deepEqual([...items.keys()], ['row Bridge br-int'])
  const refused = await r.driver.apply({ add: [], change: [], remove: [...items.values()] })
  t.is(refused.failed.size, 1)
  t.is((await r.sw.vsctl('list-ports', 'br-int')).trim(), 't1')

  await r.sw.vsctl('del-port', 'br-int', 't1')
  await r.settle(() => r.driver.facts().interfaces['br-int'] === undefined)
  t.false((await r.sw.vsctl('list-br')).includes('br-int'))
  r.converger.setTarget({ revision: 3, intents: intents(1) })
  await r.settle((x) => x.revision === 3 && x.statuses.get(portKey(1))?.state === 'WAITING')
  await plug(r.sw, 1)
  await r.settle((x) => x.converged && x.statuses.get(portKey(1))?.state === 'ACTIVE')
})
