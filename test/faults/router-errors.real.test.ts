import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { exec } from '../../src/lab/exec.ts'
import { echo, udp } from '../../src/lab/frame-build.ts'
import { FrameSocket } from '../../src/lab/frames.ts'
import { makeKey } from '../../src/model/key.ts'
import { port, Rig } from './rig.ts'

const MAC = { a: 'fa:16:3e:00:00:01', b: 'fa:16:3e:00:00:02' }
/** blue carries 1450 bytes, red 1400, green hangs behind a second router on red. t is the subport of a guest on blue. */
const NET = `hosts:
  h1: { tunnel_ip: 192.0.2.1 }
  h2: { tunnel_ip: 192.0.2.2 }
networks:
  blue: {}
  red: { mtu: 1400 }
  green: {}
  back: { mtu: 1400 }
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/24 }
  blue-v6: { network: blue, cidr: 'fd00:10::/64', gateway_ip: 'fd00:10::1' }
  red-v4: { network: red, cidr: 10.20.0.0/24 }
  red-v6: { network: red, cidr: 'fd00:20::/64', gateway_ip: 'fd00:20::1' }
  green-v4: { network: green, cidr: 10.40.0.0/24 }
  back-v4: { network: back, cidr: 10.50.0.0/24 }
ports:
  a: { network: blue, host: h1, mac_address: '${MAC.a}', fixed_ips: [{ ip_address: 10.10.0.11 }, { ip_address: 'fd00:10::11' }] }
  b: { network: blue, host: h1, mac_address: '${MAC.b}', fixed_ips: [{ ip_address: 10.10.0.12 }, { ip_address: 'fd00:10::12' }] }
  t: { network: back, mac_address: 'fa:16:3e:00:00:03', fixed_ips: [{ ip_address: 10.50.0.11 }] }
  y: { network: red, host: h2, fixed_ips: [{ ip_address: 10.20.0.12 }, { ip_address: 'fd00:20::12' }] }
  g: { network: green, host: h2, fixed_ips: [{ ip_address: 10.40.0.13 }] }
  second: { network: red, fixed_ips: [{ ip_address: 10.20.0.2 }] }
trunks:
  vm: { port: b, subports: [{ port: t, segmentation_id: 7 }] }
`
const ROUTERS = `routers:
  first:
    interfaces: [{ subnet: blue-v4 }, { subnet: blue-v6 }, { subnet: red-v4 }, { subnet: red-v6 }, { subnet: back-v4 }]
    routes: [{ destination: 10.40.0.0/16, nexthop: 10.20.0.2 }]
  second: { interfaces: [{ port: second }, { subnet: green-v4 }], routes: [{ destination: 0.0.0.0/0, nexthop: 10.20.0.1 }] }
`

let rig: Rig
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': 'installation: faults\n', 'net.yaml': NET, 'routers.yaml': ROUTERS })
})
test.after.always(async () => await rig?.close())

/** What the guest's own ping prints. The first packet through a tunnel waits for ARP beneath it, and Open vSwitch lets none wait. */
async function ping(from: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await exec(rig.lab, { port: port(from) }, ['ping', '-n', '-c', '3', '-i', '0.2', '-W', '2', ...args])
  return stdout + stderr
}

async function responders(host: string): Promise<readonly string[]> {
  const { stdout } = await exec(rig.lab, { host }, ['sh', '-c', `pgrep -f 'responder --rundir [^ ]*${rig.tag}/${host}' || true`])
  return stdout.split('\n').filter((pid) => pid !== '')
}

test.serial('a packet without a hop left: each router on the way says so, from its address on the side it came from', async (t) => {
  t.regex(await ping('a', '-t', '1', '10.20.0.12'), /From 10\.10\.0\.1 .*Time to live exceeded/)
  t.regex(await ping('a', '-t', '1', '10.40.0.13'), /From 10\.10\.0\.1 .*Time to live exceeded/)
  t.regex(await ping('a', '-t', '2', '10.40.0.13'), /From 10\.20\.0\.2 .*Time to live exceeded/)
  t.regex(await ping('a', '-t', '3', '10.40.0.13'), /bytes from 10\.40\.0\.13/)
  t.regex(await ping('a', '-t', '1', 'fd00:20::12'), /From fd00:10::1 .*Hop limit/)
  t.regex(await ping('y', '-t', '1', '10.10.0.11'), /From 10\.20\.0\.1 .*Time to live exceeded/)
})

test.serial('a packet that is too big for the next network: how large it may be, and a guest that learns from it', async (t) => {
  t.regex(await ping('a', '-M', 'do', '-s', '1400', '10.20.0.12'), /Frag needed and DF set \(mtu = 1400\)/)
  t.regex(await ping('a', '-M', 'do', '-s', '1372', '10.20.0.12'), /1380 bytes from 10\.20\.0\.12/)
  t.regex(await ping('a', '-s', '1400', '10.20.0.12'), /1408 bytes from 10\.20\.0\.12/, 'in two parts now')
  t.regex(await ping('b', '-M', 'do', '-s', '1400', 'fd00:20::12'), /From fd00:10::1 .*Packet too big: mtu=1400/)
  t.regex(await ping('b', '-M', 'do', '-s', '1352', 'fd00:20::12'), /1360 bytes from fd00:20::12/)
})

test.serial('where no way leads, where nobody is, and where nothing listens', async (t) => {
  t.regex(await ping('a', '203.0.113.7'), /From 10\.10\.0\.1 .*Destination Net Unreachable/)
  t.regex(await ping('a', '10.20.0.99'), /From 10\.10\.0\.1 .*Destination Host Unreachable/)
  t.regex(await ping('a', 'fd00:20::99'), /From fd00:10::1 .*unreachable: Address unreachable/)
  t.regex(await ping('a', '2001:db8::1'), /From fd00:10::1 .*unreachable: No route/)
  const refused = await exec(rig.lab, { port: port('a') }, ['bash', '-c', 'exec 3<>/dev/tcp/10.10.0.1/22'])
  t.regex(refused.stderr, /Connection refused/)
})

test.serial('a subport hears it under its tag', async (t) => {
  const guest = await FrameSocket.open(rig.lab, { port: port('b') })
  t.teardown(async () => await guest.close())
  const router = await rig.legMac('first', 'back')
  const lost = udp(
    { src: 'fa:16:3e:00:00:03', dst: router },
    { src: '10.50.0.11', dst: '203.0.113.7' },
    { src: 9, dst: 9 },
    Buffer.from('lost'),
  )
  guest.send(Buffer.concat([lost.subarray(0, 12), Buffer.from('81000007', 'hex'), lost.subarray(12)]))
  const heard = await guest.waitFor(({ bytes }) => bytes.includes('lost'), 2000)
  t.is(heard?.bytes.subarray(12, 18).toString('hex'), '810000070800')
  t.deepEqual([...(heard?.bytes.subarray(38, 40) ?? [])], [3, 0])
})

test.serial('errors are answered by no error, and a flood of them by so many a second', async (t) => {
  const guest = await FrameSocket.open(rig.lab, { port: port('a') })
  t.teardown(async () => await guest.close())
  const router = await rig.legMac('first', 'blue')
  const l2 = { src: MAC.a, dst: router }
  const unreachable = echo(l2, { src: '10.10.0.11', dst: '203.0.113.7' })
  unreachable.set([3, 1], 34)
  guest.send(unreachable)
  await sleep(300)
  const errors = (): number =>
    guest.received().filter(({ bytes }) => bytes.readUInt16BE(12) === 0x0800 && bytes[23] === 1 && bytes[34] === 3).length
  t.is(errors(), 0)
  for (let n = 0; n < 3000; n++) guest.send(udp(l2, { src: '10.10.0.11', dst: '203.0.113.7' }, { src: 9, dst: 9 }, Buffer.from(`n${n}`)))
  await sleep(1000)
  t.log(`${errors()} errors for 3,000 packets`)
  t.true(errors() >= 50 && errors() < 600)
  t.regex(await ping('y', '-t', '1', '10.10.0.11'), /Time to live exceeded/, 'who sends from another network is told all the same')
})

test.serial('without agent and server it is as it was; a responder that dies is started again; it goes with the last router', async (t) => {
  await rig.stopServer('SIGKILL')
  for (const host of rig.hosts) await rig.stopAgent(host, 'SIGKILL')
  const [before] = await responders('h1')
  t.regex(await ping('a', '-t', '1', '10.20.0.12'), /From 10\.10\.0\.1 .*Time to live exceeded/)
  for (const host of rig.hosts) await rig.startAgent(host)
  await rig.startServer()
  await rig.settled()
  t.deepEqual(await responders('h1'), [before], 'the agent found it')
  process.kill(Number(before), 'SIGKILL')
  await rig.seen('another one runs', async () => {
    const [pid] = await responders('h1')
    return pid !== undefined && pid !== before
  })
  await rig.seen('it answers', async () => (await ping('a', '-t', '1', '10.20.0.12')).includes('Time to live exceeded'))
  await rig.remove('routers.yaml')
  await rig.until('the router is gone', (a) => rig.isSettled(a) && rig.object(a, makeKey('router', 'default', 'first')) === undefined)
  await rig.seen('no responder is left', async () => (await Promise.all(rig.hosts.map(responders))).flat().length === 0)
})
