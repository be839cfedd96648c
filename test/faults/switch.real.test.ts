import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import type { StatusAnswer } from '../../src/cli/status.ts'
import { execOk } from '../../src/lab/exec.ts'
import { daemonPid, startVswitchd, stopVswitchd } from '../../src/lab/faults.ts'
import { tapName } from '../../src/lab/names.ts'
import type { LabGuest } from '../../src/lab/spec.ts'
import { type HostState, hostStates } from '../../src/server/render/fleet.ts'
import { netloom } from '../cli/netloom.ts'
import { port, Rig } from './rig.ts'
import { flowTexts, rowTexts } from './switch.ts'

let rig: Rig
test.before(async () => {
  rig = await Rig.up()
})
test.after.always(async () => await rig?.close())

/** Numbers that OVS gives to what others plug change when it is plugged anew. */
function withoutNumbers(texts: readonly string[]): string[] {
  return texts.map((f) => f.replace(/in_port=\d+/, 'in_port=N').replace(/output:\d+/, 'output:N')).sort()
}

function tapOf(name: string): string {
  const guest = rig.lab.spec.guests.find((g) => g.port === port(name))
  if (guest === undefined) throw new Error(`no guest ${name}`)
  return tapName(guest)
}

test.serial('vswitchd crashes and is started again: its flows are back in 3 s', async (t) => {
  const flows = await flowTexts(rig, 'h1')
  const rows = await rowTexts(rig, 'h1')
  await stopVswitchd(rig.lab, 'h1', 'SIGKILL')
  await sleep(500)
  await startVswitchd(rig.lab, 'h1')
  const ms = await rig.seen('the flows are back', async () => (await flowTexts(rig, 'h1')).length === flows.length, 3000)
  t.log(`all ${flows.length} flows ${ms} ms after vswitchd was up`)
  t.deepEqual(await flowTexts(rig, 'h1'), flows)
  t.is(await rowTexts(rig, 'h1'), rows)
  await rig.settled()
  t.deepEqual(await rig.wrong(), [])
})

test.serial('br-int deleted by hand is restored, with the ports that others plugged', async (t) => {
  const flows = await flowTexts(rig, 'h1')
  await rig.vsctl('h1', 'del-br', 'br-int')
  const ms = await rig.seen('bridge and flows are back', async () => {
    const bridges = await rig.vsctl('h1', 'list-br')
    return bridges.includes('br-int') && (await flowTexts(rig, 'h1').catch(() => [])).length === flows.length
  })
  t.log(`all ${flows.length} flows ${ms} ms after the bridge was deleted`)
  await rig.settled()
  t.deepEqual(withoutNumbers(await flowTexts(rig, 'h1')), withoutNumbers(flows))
  t.is((await rig.vsctl('h1', 'get', 'Interface', tapOf('web-1'), 'external_ids:iface-status')).trim(), 'active')
  t.deepEqual(await rig.wrong(), [])
})

test.serial('all flows deleted by hand are back at once', async (t) => {
  const flows = await flowTexts(rig, 'h1')
  await rig.ofctl('h1', 'del-flows', 'br-int')
  const ms = await rig.seen('the flows are back', async () => (await flowTexts(rig, 'h1')).length === flows.length, 3000)
  t.log(`all ${flows.length} flows ${ms} ms after they were deleted`)
  t.deepEqual(await flowTexts(rig, 'h1'), flows)
  t.deepEqual(await rig.wrong(), [])
})

test.serial('an interface that nobody declared gets no connectivity, from its first frame on', async (t) => {
  const stranger: LabGuest = {
    port: port('stranger'),
    id: '5742a9e2-0000-4000-8000-000000000000',
    host: 'h1',
    mac: 'fa:16:3e:99:99:99',
    mtu: 1450,
    addresses: ['10.10.0.99/16'],
  }
  await rig.follow((spec) => ({ ...spec, guests: [...spec.guests, stranger] }))
  const tap = tapName(stranger)
  await rig.vsctl('h1', 'del-port', 'br-int', tap)
  const [web] = [port('web-1')]
  await rig.guests.ready([stranger.port, web])
  const mac = rig.lab.spec.guests.find((g) => g.port === web)?.mac ?? ''
  await execOk(rig.lab, { port: stranger.port }, ['ip', 'neigh', 'replace', '10.10.0.11', 'lladdr', mac, 'dev', 'eth0'])
  for (const ids of [[], ['--', 'set', 'Interface', tap, `external_ids:iface-id=${stranger.id}`]]) {
    const flow = ids.length + 1
    await rig.guests.ask(stranger.port, { op: 'flow-send', flow, address: '10.10.0.11', pps: 2000 })
    await rig.vsctl('h1', 'add-port', 'br-int', tap, ...ids)
    await sleep(700)
    const ended = await rig.guests.ask(stranger.port, { op: 'flow-end', flow })
    const { received } = await rig.guests.ask(web, { op: 'flow-count', flow, ended })
    const arrived = Number(/rx_packets=(\d+)/.exec(await rig.vsctl('h1', 'get', 'Interface', tap, 'statistics'))?.[1] ?? 0)
    t.log(`${ended.sent} packets sent, ${arrived} seen by the switch, ${received} arrived`)
    t.true(ended.sent > 500)
    t.is(received, 0)
    await rig.vsctl('h1', 'del-port', 'br-int', tap)
  }
  await rig.follow()
  await rig.settled()
})

test.serial('one bad port does not stop its neighbours: the wrong MAC, a device that is not there', async (t) => {
  const tap = tapOf('web-1')
  const mac = rig.lab.spec.guests.find((g) => g.port === port('web-1'))?.mac ?? ''
  await rig.vsctl('h1', 'set', 'Interface', tap, 'external_ids:attached-mac="fa:16:3e:ff:ff:ff"')
  await rig.until('web-1 is in error', (a) => rig.object(a, port('web-1'))?.state === 'ERROR')
  await rig.write(
    'extra.yaml',
    'ports:\n  good: { network: blue, host: h1, fixed_ips: [{ subnet: blue-v4 }], plug: { type: internal, interface: nl-good } }\n  bad: { network: blue, host: h1, plug: { type: veth, netns: nowhere-to-be-found } }\n  gone: { network: blue, host: h1 }\n',
  )
  await rig.until(
    'good is ACTIVE, bad is in error',
    (a) => rig.object(a, port('good'))?.state === 'ACTIVE' && rig.object(a, port('bad'))?.state === 'ERROR',
  )
  const answer = await rig.status()
  const id = /iface-id=([0-9a-f-]+)/.exec((answer && rig.object(answer, port('gone'))?.cause) ?? '')?.[1] ?? ''
  await rig.vsctl(
    'h1',
    '--no-wait',
    'add-port',
    'br-int',
    'nosuchdev',
    '--',
    'set',
    'Interface',
    'nosuchdev',
    `external_ids:iface-id=${id}`,
  )
  await rig.until('gone is in error', (a) => rig.object(a, port('gone'))?.state === 'ERROR')
  const told = await rig.status()
  for (const name of ['web-1', 'bad', 'gone']) t.log(`${name}: ${(told && rig.object(told, port(name))?.cause) ?? ''}`)
  for (const name of ['db-1', 'vault-1', 'good']) t.is(told && rig.object(told, port(name))?.state, 'ACTIVE')
  t.regex((told && rig.object(told, port('web-1'))?.cause) ?? '', /attached-mac/)
  await rig.vsctl('h1', 'set', 'Interface', tap, `external_ids:attached-mac="${mac}"`)
  await rig.vsctl('h1', 'del-port', 'br-int', 'nosuchdev')
  await rig.remove('extra.yaml')
  await rig.until('as at first', (a) => rig.isSettled(a) && rig.object(a, port('good')) === undefined)
  t.deepEqual(await rig.wrong(), [])
})

/** Throws when it does not run: a signal for process 0 is one for all of us. */
async function pidOf(daemon: 'ovs-vswitchd' | 'ovsdb-server'): Promise<number> {
  const pid = await daemonPid(rig.lab, 'h1', daemon)
  if (pid === undefined) throw new Error(`${daemon} of h1 does not run`)
  return pid
}

const stateOf = (a: StatusAnswer, host: string): HostState | undefined =>
  hostStates({ ...a.fleet, targets: new Map(a.fleet.targets) }).find((s) => s.host === host)

test.serial(
  'a switch that ended is known within a second, what it held is not counted, and it is well as soon as it is back',
  async (t) => {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await stopVswitchd(rig.lab, 'h1', signal)
      const ms = await rig.until(`h1 is stalled after ${signal}`, (a) => stateOf(a, 'h1')?.health === 'Stalled', 1500)
      const { out } = await netloom('status', rig.dir, '--state', rig.stateFile)
      const last = out.split('\n').find((line) => line.startsWith('Revision')) ?? ''
      t.log(`${signal}: Stalled after ${ms} ms; ${last}`)
      t.regex(out, /^h1 .*Stalled .*the switch does not answer, since [01] s/m)
      t.regex(last, /(\d+) of (\d+) objects active; \d+ on h1 not known: its switch does not answer, since [01] s\.$/)
      await startVswitchd(rig.lab, 'h1')
      const back = await rig.until('h1 is well', (a) => stateOf(a, 'h1')?.health === 'Healthy', 3000)
      t.log(`Healthy ${back} ms after vswitchd was up`)
      await rig.settled()
    }
    t.deepEqual(await rig.wrong(), [])
  },
)

test.serial('a switch that hangs is stalled in a few seconds; so is one whose database hangs', async (t) => {
  for (const daemon of ['ovs-vswitchd', 'ovsdb-server'] as const) {
    const pid = await pidOf(daemon)
    process.kill(pid, 'SIGSTOP')
    try {
      const ms = await rig.until(`h1 is stalled: ${daemon}`, (a) => stateOf(a, 'h1')?.health === 'Stalled', 8000)
      t.log(`${daemon} stopped: Stalled after ${ms} ms`)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    const back = await rig.until('h1 is well', (a) => stateOf(a, 'h1')?.health === 'Healthy', 4000)
    t.log(`Healthy ${back} ms after it went on`)
  }
  await rig.settled()
  t.deepEqual(await rig.wrong(), [])
})

test.serial('a switch that is stalled and an agent that is stopped look different', async (t) => {
  const pid = await pidOf('ovs-vswitchd')
  const agent = rig.agentPid('h2')
  process.kill(pid, 'SIGSTOP')
  process.kill(agent, 'SIGSTOP')
  try {
    await rig.until(
      'h1 is stalled and h2 is missing',
      (a) => stateOf(a, 'h1')?.health === 'Stalled' && stateOf(a, 'h2')?.health === 'Missing',
      60_000,
    )
    const answer = await rig.status()
    const [h1, h2] = ['h1', 'h2'].map((h) => (answer === undefined ? undefined : stateOf(answer, h)))
    t.log(`h1: ${h1?.notes.join('; ')}; h2: ${h2?.notes.join('; ')}`)
    t.regex(h1?.notes[0] ?? '', /^the switch does not answer, since /)
    t.regex(h2?.notes[0] ?? '', /^not heard of for /)
  } finally {
    process.kill(pid, 'SIGCONT')
    process.kill(agent, 'SIGCONT')
  }
  await rig.settled()
  t.deepEqual(await rig.wrong(), [])
})
