import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { BROADCAST_MAC, echo, tagged, udp } from '../../src/lab/frame-build.ts'
import { type Frame, FrameSocket } from '../../src/lab/frames.ts'
import { lossDuring } from '../../src/lab/probe.ts'
import { makeKey } from '../../src/model/key.ts'
import { port, Rig } from './rig.ts'
import { flowTexts } from './switch.ts'

const MAC = { p: 'fa:16:3e:00:00:01', s: 'fa:16:3e:00:00:02', u: 'fa:16:3e:00:00:03', r: 'fa:16:3e:00:00:12', g: 'fa:16:3e:00:00:13' }
const NET = `hosts:
  h1: { tunnel_ip: 192.0.2.1, bridge_mappings: { physnet1: br-ex } }
  h2: { tunnel_ip: 192.0.2.2, bridge_mappings: { physnet1: br-ex } }
networks:
  blue: {}
  red: {}
  green: { network_type: vlan, physical_network: physnet1, segmentation_id: 120, mtu: 1450, port_security_enabled: false }
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/24 }
  red-v4: { network: red, cidr: 10.20.0.0/24 }
  red-v6: { network: red, cidr: 'fd00:20::/64' }
  green-v4: { network: green, cidr: 10.30.0.0/24 }
ports:
  p: { network: blue, host: h1, mac_address: '${MAC.p}', fixed_ips: [{ ip_address: 10.10.0.11 }] }
  c: { network: blue, host: h2, fixed_ips: [{ ip_address: 10.10.0.21 }] }
  s: { network: red, mac_address: '${MAC.s}', fixed_ips: [{ ip_address: 10.20.0.11 }, { ip_address: 'fd00:20::11' }] }
  r: { network: red, host: h2, mac_address: '${MAC.r}', fixed_ips: [{ ip_address: 10.20.0.21 }, { ip_address: 'fd00:20::21' }] }
  u: { network: green, mac_address: '${MAC.u}', fixed_ips: [{ ip_address: 10.30.0.11 }] }
  g: { network: green, host: h2, mac_address: '${MAC.g}', fixed_ips: [{ ip_address: 10.30.0.21 }] }
`
const trunk = (...subports: string[]): string => `trunks: { t: { port: p, subports: [${subports.join(', ')}] } }\n`
const BOTH = trunk('{ port: s, segmentation_id: 100 }', '{ port: u, segmentation_type: inherit }')

let rig: Rig
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': 'installation: faults\n', 'net.yaml': NET, 'trunk.yaml': BOTH })
})
test.after.always(async () => await rig?.close())

async function socketAt(t: ExecutionContext, name: string): Promise<FrameSocket> {
  const socket = await FrameSocket.open(rig.lab, { port: port(name) })
  t.teardown(async () => await socket.close())
  return socket
}

const RED = { l2: { src: MAC.s, dst: MAC.r }, v4: { src: '10.20.0.11', dst: '10.20.0.21' }, v6: { src: 'fd00:20::11', dst: 'fd00:20::21' } }
const tagOf = ({ bytes }: Frame): number | undefined => (bytes.readUInt16BE(12) === 0x8100 ? bytes.readUInt16BE(14) & 0xfff : undefined)
const holds = (text: string, tag: number | undefined) => (f: Frame) => f.bytes.includes(text) && tagOf(f) === tag

/**
 * The neighbour's own kernel answers an echo request, so both ways are gone, ARP or ND for the subport included. Asked again as a guest would: the
 * first frame to a host is lost while the switch asks for the tunnel's other end.
 */
async function answers(t: ExecutionContext, guest: FrameSocket): Promise<void> {
  const answered = async (frame: Buffer, tag: number): Promise<boolean> => {
    guest.clear()
    for (let attempt = 0; attempt < 6; attempt++) {
      guest.send(tagged(frame, tag))
      if ((await guest.waitFor(holds('netloom', tag), 500)) !== undefined) return true
    }
    return false
  }
  for (const l3 of [RED.v4, RED.v6]) t.true(await answered(echo(RED.l2, l3), 100), `${l3.dst} answers subport s, with its tag`)
  const green = echo({ src: MAC.u, dst: MAC.g }, { src: '10.30.0.11', dst: '10.30.0.21' })
  t.true(await answered(green, 120), 'g answers subport u, over the provider network')
  const { ok } = await rig.guests.ask(port('p'), { op: 'ping', address: '10.10.0.21', timeout_ms: 3000 })
  t.true(ok, 'the parent goes on without a tag')
}

test.serial('subports reach their networks on another host by tags, and the parent its own without', async (t) => {
  await rig.guests.ready([port('p'), port('c'), port('r'), port('g')])
  await answers(t, await socketAt(t, 'p'))
  const status = await rig.status()
  t.is(status && rig.object(status, makeKey('trunk', 'default', 't'), 'h1')?.state, 'ACTIVE')
  t.is(status && rig.object(status, port('s'), 'h1')?.state, 'ACTIVE')
})

test.serial('what a guest tags with another VLAN, or twice, is seen by nobody', async (t) => {
  const [guest, r, g] = [await socketAt(t, 'p'), await socketAt(t, 'r'), await socketAt(t, 'g')]
  const wire = await FrameSocket.open(rig.lab, { host: 'h1', cable: 'physnet1' })
  t.teardown(async () => await wire.close())
  const red = (text: string): Buffer =>
    udp({ src: MAC.s, dst: BROADCAST_MAC }, { src: '10.20.0.11', dst: '10.20.0.255' }, { src: 1, dst: 2 }, Buffer.from(text))
  const green = (text: string): Buffer =>
    udp({ src: MAC.u, dst: BROADCAST_MAC }, { src: '10.30.0.11', dst: '10.30.0.255' }, { src: 1, dst: 2 }, Buffer.from(text))
  guest.send(tagged(red('forbidden'), 101))
  guest.send(red('forbidden'))
  guest.send(tagged(tagged(red('forbidden'), 7), 100))
  guest.send(tagged(tagged(green('forbidden'), 7), 120))
  guest.send(tagged(green('forbidden'), 0))
  guest.send(tagged(green('forbidden'), 100))
  guest.send(tagged(green('allowed'), 120))
  t.truthy(await g.waitFor((f) => f.bytes.includes('allowed'), 3000))
  t.truthy(await wire.waitFor(holds('allowed', 120), 3000))
  await sleep(300)
  for (const [name, socket] of [
    ['r', r],
    ['g', g],
    ['the wire', wire],
  ] as const)
    t.deepEqual(
      socket.received().filter((f) => f.bytes.includes('forbidden')),
      [],
      name,
    )
})

test.serial('subports come and go: the parent loses no packet, and nothing of a subport is left', async (t) => {
  const before = await flowTexts(rig, 'h1')
  const { udp: loss, tcp } = await lossDuring(rig.guests, { from: port('p'), to: port('c'), address: '10.10.0.21' }, async () => {
    await rig.write('trunk.yaml', trunk())
    await rig.until('the subports are on no host', (a) => rig.isSettled(a) && rig.object(a, port('s'), 'h1') === undefined)
    const flows = await flowTexts(rig, 'h1')
    t.deepEqual(
      flows.filter((f) => /push_vlan|pop_vlan|dl_vlan=/.test(f)),
      [],
      'no flow speaks of a tag',
    )
    await rig.write('trunk.yaml', BOTH)
    await rig.until('they are back', (a) => rig.isSettled(a) && rig.object(a, port('s'), 'h1')?.state === 'ACTIVE')
  })
  t.log(`${loss.lost} of ${loss.sent} packets lost, largest gap ${loss.largest_gap_ms} ms`)
  t.true(tcp.ok)
  t.is(loss.lost, 0)
  t.deepEqual(await flowTexts(rig, 'h1'), before)
  await answers(t, await socketAt(t, 'p'))
})

test.serial('a trunk that is down stops its subports, not the parent', async (t) => {
  await rig.write('trunk.yaml', BOTH.replace('port: p,', 'port: p, admin_state_up: false,'))
  await rig.until('s is down', (a) => rig.object(a, port('s'), 'h1')?.state === 'DOWN')
  const status = await rig.status()
  t.regex((status && rig.object(status, port('s'), 'h1')?.cause) ?? '', /admin_state_up of trunk t is false/)
  const guest = await socketAt(t, 'p')
  guest.send(tagged(echo(RED.l2, RED.v4), 100))
  t.is(await guest.waitFor(holds('netloom', 100), 500), undefined)
  t.true((await rig.guests.ask(port('p'), { op: 'ping', address: '10.10.0.21', timeout_ms: 3000 })).ok)
  await rig.write('trunk.yaml', BOTH)
  await rig.until('s is back', (a) => rig.isSettled(a) && rig.object(a, port('s'), 'h1')?.state === 'ACTIVE')
})

test.serial('the guest moves by one line, and its subports with it', async (t) => {
  await rig.write(
    'net.yaml',
    NET.replace('p: { network: blue, host: h1', 'p: { network: blue, host: h2').replace(
      'r: { network: red, host: h2',
      'r: { network: red, host: h1',
    ),
  )
  await rig.follow()
  await rig.until('all on h2', (a) => rig.isSettled(a) && rig.object(a, port('s'), 'h2')?.state === 'ACTIVE')
  await rig.guests.ready([port('p'), port('c'), port('r'), port('g')])
  await answers(t, await socketAt(t, 'p'))
  t.deepEqual(
    (await flowTexts(rig, 'h1')).filter((f) => /vlan_vid=4196|dl_vlan=100/.test(f)),
    [],
  )
})
