import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { execOk } from '../../src/lab/exec.ts'
import { startVswitchd, stopVswitchd } from '../../src/lab/faults.ts'
import { tapName } from '../../src/lab/names.ts'
import type { LabGuest } from '../../src/lab/spec.ts'
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
  t.regex(await rig.ofctl('h1', 'get-frags', 'br-int'), /nx-match/)
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
  t.regex(await rig.ofctl('h1', 'get-frags', 'br-int'), /nx-match/)
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
