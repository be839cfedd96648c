import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import type { StatusAnswer } from '../../src/cli/status.ts'
import type { LabGuest } from '../../src/lab/spec.ts'
import { port, Rig } from './rig.ts'
import { flowTexts } from './switch.ts'

const net = (where: string): string => `hosts:
  h1: { tunnel_ip: 192.0.2.1 }
  h2: { tunnel_ip: 192.0.2.2 }
  h3: { tunnel_ip: 192.0.2.3 }
networks: { blue: {} }
subnets: { blue-v4: { network: blue, cidr: 10.10.0.0/24 } }
ports:
  m: { network: blue, ${where}, fixed_ips: [{ ip_address: 10.10.0.11 }] }
  d: { network: blue, host: h3, fixed_ips: [{ ip_address: 10.10.0.13 }] }
  c: { network: blue, host: h2, fixed_ips: [{ ip_address: 10.10.0.12 }] }
`

let rig: Rig
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': 'installation: faults\n', 'net.yaml': net('host: h1') })
})
test.after.always(async () => await rig?.close())

const isActive = (a: StatusAnswer, host: string): boolean => rig.object(a, port('m'), host)?.state === 'ACTIVE'

/** The hypervisor's part: the same interface, of the same guest, on the new host. */
function guestThere(): LabGuest {
  const here = rig.lab.spec.guests.find((g) => g.port === port('m'))
  if (here === undefined) throw new Error('no guest m')
  return { ...here, port: port('m-there'), host: 'h2' }
}

test.serial('a guest on its way is heard and reached on both hosts, and the end of the move costs no packet', async (t) => {
  const before = await flowTexts(rig, 'h1')
  await rig.write('net.yaml', net('host: h1, migrating_to: h2'))
  await rig.until('h2 waits for the guest', (a) => rig.object(a, port('m'), 'h2')?.state === 'WAITING' && isActive(a, 'h1'))
  const there = guestThere()
  await rig.follow((spec) => ({ ...spec, guests: [...spec.guests, there] }))
  await rig.until('wired on both', (a) => isActive(a, 'h1') && isActive(a, 'h2'))
  const [m, copy, d] = [port('m'), there.port, port('d')]
  await rig.guests.ready([m, copy, d])
  for (const from of [m, copy])
    t.true((await rig.guests.ask(from, { op: 'ping', address: '10.10.0.13', timeout_ms: 3000 })).ok, `${from} is heard`)

  // The last question is whether who has been reached goes on being reached while the old host lets go.
  await rig.guests.ask(d, { op: 'flow-send', flow: 1, address: '10.10.0.11', pps: 1000 })
  await sleep(500)
  const both = await rig.guests.ask(d, { op: 'flow-end', flow: 1 })
  for (const to of [m, copy]) t.is((await rig.guests.ask(to, { op: 'flow-count', flow: 1, ended: both })).lost, 0, `${to} has them all`)

  await rig.guests.ask(d, { op: 'flow-send', flow: 2, address: '10.10.0.11', pps: 1000 })
  await sleep(300)
  await rig.write('net.yaml', net('host: h2'))
  const ms = await rig.until('the move is done', (a) => isActive(a, 'h2') && rig.object(a, port('m'), 'h1') === undefined)
  await sleep(300)
  const ended = await rig.guests.ask(d, { op: 'flow-end', flow: 2 })
  const moved = await rig.guests.ask(copy, { op: 'flow-count', flow: 2, ended })
  t.log(`done in ${ms} ms: ${moved.lost} of ${ended.sent} packets lost on the new host`)
  t.is(moved.lost, 0)
  const old = await rig.guests.ask(m, { op: 'flow-count', flow: 2, ended })
  t.true(old.received < ended.sent, 'the old host gets no more')

  await rig.write('net.yaml', net('host: h1'))
  await rig.follow()
  await rig.until('back', (a) => rig.isSettled(a))
  const numbered = (flows: readonly string[]): string[] => flows.map((f) => f.replace(/in_port=\d+|output:\d+/g, 'N')).sort()
  t.deepEqual(numbered(await flowTexts(rig, 'h1')), numbered(before))
})
