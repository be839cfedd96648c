import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { StatusAnswer } from '../../src/cli/status.ts'
import { makeKey } from '../../src/model/key.ts'
import type { ObjectState } from '../../src/model/status.ts'
import { hostStates } from '../../src/server/render/fleet.ts'
import { FIRST, SITE } from './repo.ts'
import { port, Rig } from './rig.ts'

/** What costs traffic and is not ours to put right: a provider bridge, the address where tunnels end, flows of others on br-int. */
let rig: Rig
test.before(async () => {
  rig = await Rig.up({ ...FIRST, 'netloom.yaml': `${SITE}drift: { mode: report }\n` })
})
test.after.always(async () => await rig?.close())

const H1 = makeKey('host', '', 'h1')

async function shell(command: string): Promise<void> {
  await rig.on('h1', 'sh', '-c', command)
}

function drift(answer: StatusAnswer | undefined): readonly string[] {
  return (answer?.fleet.drift ?? [])
    .map((d) => `${d.host} ${d.kind} ${d.where}: ${d.fields.map((f) => f.have).join()} (${d.action})`)
    .sort()
}

function health(answer: StatusAnswer | undefined): string | undefined {
  if (answer === undefined) return undefined
  return hostStates({ ...answer.fleet, targets: new Map(answer.fleet.targets) }).find((s) => s.host === 'h1')?.health
}

interface Trouble {
  readonly does: string
  readonly undo: string
  /** Of vault-1, a port on the physical network. */
  readonly state: ObjectState
  readonly cause: string
  readonly drift: readonly string[]
  /** How the host is then. */
  readonly health: string
}

const BRIDGE_EX = 'bridge br-ex of physical network physnet1'
const NORMAL = 'unless it has a controller that writes them, ovs-ofctl add-flow br-ex priority=0,actions=NORMAL'

function dead(does: string, undo: string, what: string, todo: string): Trouble {
  const text = `${what}: ${todo}`
  return {
    does,
    undo,
    state: 'ERROR',
    health: 'Degraded',
    cause: `${BRIDGE_EX} ${text}`,
    drift: [`h1 foreign Bridge br-ex: ${text} (left alone)`],
  }
}

const ALONE = 'ovs-vsctl add-port br-ex <NIC>, or, where that is meant so, ovs-vsctl br-set-external-id br-ex netloom-uplink none'

const TROUBLES: Readonly<Record<string, Trouble>> = {
  'all flows of the provider bridge deleted': dead(
    'ovs-ofctl del-flows br-ex',
    'ovs-ofctl add-flow br-ex priority=0,actions=NORMAL',
    'forwards nothing: no flow of it passes any frame on',
    NORMAL,
  ),
  'a flow that drops all on the provider bridge': dead(
    'ovs-ofctl add-flow br-ex priority=9,actions=drop',
    'ovs-ofctl --strict del-flows br-ex priority=9',
    'forwards nothing: no flow of it passes any frame on',
    NORMAL,
  ),
  'a flow that drops what is ours on the provider bridge': dead(
    'ovs-ofctl add-flow br-ex "priority=9,in_port=nl-ex-br-ex,actions=drop"',
    'ovs-ofctl --strict del-flows br-ex "priority=9,in_port=nl-ex-br-ex"',
    'drops every frame that comes from nl-ex-br-ex, by its flows',
    'ovs-ofctl dump-flows br-ex table=0',
  ),
  'a flow that drops what the uplink brings': dead(
    'ovs-ofctl add-flow br-ex "priority=9,in_port=phy-physnet1,actions=drop"',
    'ovs-ofctl --strict del-flows br-ex "priority=9,in_port=phy-physnet1"',
    'drops every frame that comes in by phy-physnet1, by its flows',
    'ovs-ofctl dump-flows br-ex table=0',
  ),
  'the uplink set down': dead(
    'ip link set phy-physnet1 down',
    'ip link set phy-physnet1 up',
    'is cut off: its uplink phy-physnet1 is set down',
    'ip link set phy-physnet1 up',
  ),
  'the uplink told to send nothing': dead(
    'ovs-ofctl mod-port br-ex phy-physnet1 no-forward',
    'ovs-ofctl mod-port br-ex phy-physnet1 forward',
    'is cut off: its uplink phy-physnet1 refuses frames (no-forward)',
    'ovs-ofctl mod-port br-ex phy-physnet1 forward',
  ),
  'no uplink': {
    ...dead(
      'ovs-vsctl del-port br-ex phy-physnet1',
      'ovs-vsctl add-port br-ex phy-physnet1',
      'has no uplink: its frames reach no other host',
      ALONE,
    ),
    state: 'WAITING',
    health: 'Waiting',
  },
}

async function told(t: ExecutionContext, what: string, trouble: Trouble): Promise<void> {
  await shell(trouble.does)
  const ms = await rig.until(
    `${what} is told`,
    (a) => rig.object(a, port('vault-1'), 'h1')?.cause === trouble.cause && drift(a).join() === trouble.drift.join(),
    8000,
  )
  const answer = await rig.status()
  const wrong = await rig.wrong()
  t.log(`${what}: told in ${ms} ms, ${wrong.length} probes lost`)
  t.true(
    wrong.some((w) => w.includes('vault-1')),
    `${what} costs traffic`,
  )
  t.false(
    wrong.some((w) => w.includes('web-1')),
    'tunnels go on',
  )
  t.is(answer === undefined ? undefined : rig.object(answer, port('vault-1'), 'h1')?.state, trouble.state)
  t.is(answer === undefined ? undefined : rig.object(answer, port('web-1'), 'h1')?.state, 'ACTIVE')
  t.is(answer === undefined ? undefined : rig.object(answer, H1, 'h1')?.cause, trouble.cause)
  t.is(health(answer), trouble.health)
  const asked = (await rig.drift()).flatMap((h) => (h.items ?? []).map((i) => `${h.host} ${i.kind} ${i.where} (${i.action})`))
  t.deepEqual(asked, ['h1 foreign Bridge br-ex (left alone)'])
}

test.serial(
  'a provider bridge that passes nothing is told, by its ports and by drift, and left alone; it is over when it is over',
  async (t) => {
    t.deepEqual(await rig.wrong(), [])
    for (const [what, trouble] of Object.entries(TROUBLES)) {
      await told(t, what, trouble)
      await shell(trouble.undo)
      const ms = await rig.until(`${what} is over`, (a) => rig.isSettled(a) && a.fleet.drift.length === 0, 8000)
      t.log(`over in ${ms} ms`)
      t.deepEqual(await rig.wrong(), [], `${what} is over`)
    }
  },
)

test.serial(
  'a bridge with a controller that is reached may forward without flows, and one that is meant to have no uplink is fine',
  async (t) => {
    await shell('ovs-vsctl del-port br-ex phy-physnet1 -- br-set-external-id br-ex netloom-uplink none')
    await sleep(2500)
    const answer = await rig.status()
    t.is(health(answer), 'Healthy')
    t.deepEqual(drift(answer), [])
    await shell('ovs-vsctl add-port br-ex phy-physnet1 -- br-set-external-id br-ex netloom-uplink')
    // A first controller empties the bridge; nobody answers here, and the bridge is to fall back on forwarding by itself.
    await shell('ovs-vsctl set-controller br-ex tcp:127.0.0.1:9 && ovs-ofctl del-flows br-ex')
    await sleep(2500)
    t.is(health(await rig.status()), 'Healthy', 'it cannot be known')
    await shell('ovs-vsctl set-fail-mode br-ex secure')
    await rig.until(
      'a secure bridge without flows and controller is told',
      (a) => rig.object(a, port('vault-1'), 'h1')?.state === 'ERROR',
      8000,
    )
    t.true((await rig.wrong()).some((w) => w.includes('vault-1')))
    await shell('ovs-vsctl del-controller br-ex -- del-fail-mode br-ex && ovs-ofctl add-flow br-ex priority=0,actions=NORMAL')
    await rig.settled()
    t.deepEqual(await rig.wrong(), [])
  },
)

test.serial('a bridge that our client cannot ask says so in drift, and nothing is concluded', async (t) => {
  await shell('ovs-vsctl set Bridge br-ex protocols=OpenFlow10')
  const line = 'h1 foreign Bridge br-ex: it speaks only OpenFlow10, so nobody sees whether its flows pass frames on (left alone)'
  await rig.until('it is told', (a) => drift(a).join() === line, 8000)
  t.is(health(await rig.status()), 'Healthy')
  await shell('ovs-vsctl clear Bridge br-ex protocols')
  await rig.until('it is over', (a) => rig.isSettled(a) && a.fleet.drift.length === 0, 8000)
  t.deepEqual(await rig.wrong(), [])
})

const BACK = 'ip route replace default dev br-und'

test.serial('the address where tunnels end: gone from the host it is told, with the command that brings it back', async (t) => {
  const cause =
    'tunnel_ip 192.0.2.1 is on no interface of h1 that is up, and vxlan tunnels carry nothing: ' +
    'ip address add 192.0.2.1/24 dev <bridge or NIC>, or, on one that has it, ip link set <bridge or NIC> up'
  const line = 'h1 foreign address 192.0.2.1: is on no interface that is up: vxlan tunnels carry nothing (left alone)'
  const deeds = {
    'ip address flush dev br-und scope global': `ip address add 192.0.2.1/24 dev br-und && ${BACK}`,
    'ip link set br-und down': `ip link set br-und up && ${BACK}`,
  }
  for (const [does, undo] of Object.entries(deeds)) {
    await shell(does)
    const ms = await rig.until(`${does} is told`, (a) => rig.object(a, H1, 'h1')?.cause === cause && drift(a).join() === line, 5000)
    t.log(`${does}: told in ${ms} ms`)
    t.is(health(await rig.status()), 'Degraded')
    const wrong = await rig.wrong()
    t.true(wrong.some((w) => w.includes('web-1')))
    t.false(
      wrong.some((w) => w.includes('vault')),
      'the physical network goes on',
    )
    const asked = (await rig.drift()).flatMap((h) => (h.items ?? []).map((i) => `${h.host} ${i.kind} ${i.where}`))
    t.deepEqual(asked, ['h1 foreign address 192.0.2.1'])
    await shell(undo)
    t.log(`over in ${await rig.until('it is over', (a) => rig.isSettled(a) && a.fleet.drift.length === 0, 5000)} ms`)
    t.deepEqual(await rig.wrong(), [])
  }
})

interface Taker {
  readonly flow: string
  readonly cause: string
  readonly ports: readonly string[]
}

const TAKERS: Readonly<Record<string, Taker>> = {
  'a flow that drops everything': {
    flow: 'table=0,priority=65535,actions=drop',
    cause: 'a flow of others on br-int drops all frames of this host: ovs-ofctl --strict del-flows br-int "table=0,priority=65535"',
    ports: ['web-1', 'db-1', 'vault-1'],
  },
  'a flow that drops what one kind of frame needs': {
    flow: 'table=70,priority=200,icmp,actions=drop',
    cause: 'ovs-ofctl --strict del-flows br-int "table=70,priority=200,icmp"',
    ports: [],
  },
}

test.serial('a flow of others that outranks ours is told for what it does, with the command that ends it', async (t) => {
  for (const [what, { flow, cause, ports }] of Object.entries(TAKERS)) {
    await shell(`ovs-ofctl add-flow br-int "cookie=0x7,${flow}"`)
    const ms = await rig.until(`${what} is told`, (a) => rig.object(a, H1, 'h1')?.cause?.endsWith(cause) === true, 5000)
    const answer = await rig.status()
    const wrong = await rig.wrong()
    t.log(`${what}: told in ${ms} ms, ${wrong.length} probes lost: ${rig.object(answer as StatusAnswer, H1, 'h1')?.cause}`)
    t.true(wrong.length > 0)
    t.is(health(answer), 'Degraded')
    for (const name of ports) t.is(rig.object(answer as StatusAnswer, port(name), 'h1')?.cause, cause)
    t.true(drift(answer).some((d) => d.includes(cause)))
    // The very command that is told.
    await shell(cause.slice(cause.indexOf('ovs-ofctl')))
    await rig.until(`${what} is over`, (a) => rig.isSettled(a) && a.fleet.drift.length === 0, 5000)
    t.deepEqual(await rig.wrong(), [])
  }
})

test.serial('our port on the provider bridge: what it is told to refuse is drift of ours, reported or put back', async (t) => {
  const ofport = (await rig.vsctl('h1', 'get', 'Interface', 'nl-ex-br-ex', 'ofport')).trim()
  const where = `port nl-ex-br-ex (ofport ${ofport}) on br-ex`
  for (const refusal of ['no-forward', 'no-receive']) {
    await shell(`ovs-ofctl mod-port br-ex nl-ex-br-ex ${refusal}`)
    const line = `h1 altered ${where}: ${refusal} (set with ovs-ofctl mod-port) (report)`
    t.log(`${refusal}: told in ${await rig.until(`${refusal} is told`, (a) => drift(a).join() === line, 5000)} ms`)
    t.true((await rig.wrong()).some((w) => w.includes('vault-1')))
    await shell(`ovs-ofctl mod-port br-ex nl-ex-br-ex ${refusal.replace('no-', '')}`)
    await rig.until(`${refusal} is over`, (a) => rig.isSettled(a) && a.fleet.drift.length === 0, 5000)
  }
  const at = (await rig.status())?.fleet.revision ?? 0
  await rig.write('netloom.yaml', `${SITE}drift: { mode: repair }\n`)
  await rig.until('repair', (a) => a.fleet.revision > at && rig.isSettled(a))
  await shell('ovs-ofctl mod-port br-ex nl-ex-br-ex no-forward && ovs-ofctl mod-port br-ex nl-ex-br-ex no-receive')
  const clean = async (): Promise<boolean> => !/config: .*NO_/.test(await rig.ofctl('h1', 'show', 'br-ex'))
  t.log(`put back in ${await rig.seen('both are put back', clean, 8000)} ms`)
  await rig.settled()
  t.deepEqual(await rig.wrong(), [])
})
