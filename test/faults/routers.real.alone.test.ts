import test, { type ExecutionContext } from 'ava'
import { udp } from '../../src/lab/frame-build.ts'
import { type Frame, FrameSocket } from '../../src/lab/frames.ts'
import { lossDuring } from '../../src/lab/probe.ts'
import { describeWrong, type ExpectedPair, proveAll } from '../../src/lab/prove.ts'
import { makeKey } from '../../src/model/key.ts'
import { port, Rig } from './rig.ts'
import { flowTexts } from './switch.ts'

const MAC = { a: 'fa:16:3e:00:00:01', x: 'fa:16:3e:00:00:11', y: 'fa:16:3e:00:00:12', p: 'fa:16:3e:00:00:21' }
/** blue is on h1 only, red on h1 and h2, yard (a provider network) on h2 and h3, island behind a second router on h3. Everybody is in the default group. */
const NET = `hosts:
  h1: { tunnel_ip: 192.0.2.1, bridge_mappings: { physnet1: br-ex } }
  h2: { tunnel_ip: 192.0.2.2, bridge_mappings: { physnet1: br-ex } }
  h3: { tunnel_ip: 192.0.2.3, bridge_mappings: { physnet1: br-ex } }
networks:
  blue: {}
  red: { network_type: geneve }
  yard: { network_type: vlan, physical_network: physnet1, segmentation_id: 120, mtu: 1450 }
  island: {}
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/24 }
  blue-v6: { network: blue, cidr: 'fd00:10::/64', gateway_ip: 'fd00:10::1' }
  red-v4: { network: red, cidr: 10.20.0.0/24 }
  red-v6: { network: red, cidr: 'fd00:20::/64', gateway_ip: 'fd00:20::1' }
  yard-v4: { network: yard, cidr: 10.30.0.0/24 }
  island-v4: { network: island, cidr: 10.40.0.0/24 }
ports:
  a: { network: blue, host: h1, mac_address: '${MAC.a}', fixed_ips: [{ ip_address: 10.10.0.11 }, { ip_address: 'fd00:10::11' }] }
  x: { network: red, host: h1, mac_address: '${MAC.x}', fixed_ips: [{ ip_address: 10.20.0.11 }, { ip_address: 'fd00:20::11' }] }
  y: { network: red, host: h2, mac_address: '${MAC.y}', fixed_ips: [{ ip_address: 10.20.0.12 }, { ip_address: 'fd00:20::12' }] }
  p: { network: yard, host: h2, mac_address: '${MAC.p}', fixed_ips: [{ ip_address: 10.30.0.12 }] }
  q: { network: yard, host: h3, fixed_ips: [{ ip_address: 10.30.0.13 }] }
  i: { network: island, host: h3, fixed_ips: [{ ip_address: 10.40.0.13 }] }
  second: { network: red, fixed_ips: [{ ip_address: 10.20.0.2 }] }
`
interface Routers {
  readonly first: readonly string[]
  readonly routes?: readonly string[]
  readonly island?: boolean
}
function routers({ first, routes = [], island = true }: Routers): string {
  const behind = island
    ? '  second: { interfaces: [{ port: second }, { subnet: island-v4 }], routes: [{ destination: 0.0.0.0/0, nexthop: 10.20.0.1 }] }\n'
    : ''
  return `routers:\n  first: { interfaces: [${first.map((s) => `{ subnet: ${s} }`).join(', ')}], routes: [${routes.join(', ')}] }\n${behind}`
}
const ALL = ['blue-v4', 'blue-v6', 'red-v4', 'red-v6', 'yard-v4']
const TO_ISLAND = '{ destination: 10.40.0.0/16, nexthop: 10.20.0.2 }'
const WHOLE = routers({ first: ALL, routes: [TO_ISLAND] })

let rig: Rig
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': 'installation: faults\n', 'net.yaml': NET, 'routers.yaml': WHOLE })
})
test.after.always(async () => await rig?.close())

const NAMES = ['a', 'x', 'y', 'p', 'q', 'i']
const pairs = (reach: (from: string, to: string) => boolean): ExpectedPair[] =>
  NAMES.flatMap((from) => NAMES.filter((to) => to !== from).map((to) => ({ from: port(from), to: port(to), reach: reach(from, to) })))

async function socketAt(t: ExecutionContext, place: Parameters<typeof FrameSocket.open>[1]): Promise<FrameSocket> {
  const socket = await FrameSocket.open(rig.lab, place)
  t.teardown(async () => await socket.close())
  return socket
}

const macs = ({ bytes }: Frame): readonly string[] =>
  [bytes.subarray(6, 12), bytes.subarray(0, 6)].map((mac) => (mac.toString('hex').match(/../g) ?? []).join(':'))
const legMac = async (network: string): Promise<string> => await rig.legMac('first', network)

test.serial('everybody reaches everybody through two routers, over two kinds of tunnel and a provider network', async (t) => {
  const proof = await proveAll(
    rig.lab,
    pairs(() => true),
  )
  t.deepEqual(describeWrong(proof), [])
  t.log(proof.summary)
  const status = await rig.status()
  t.deepEqual(
    status?.fleet.status.filter((s) => s.state !== 'ACTIVE').map((s) => `${s.host} ${s.key} ${s.state} ${s.cause}`),
    [],
  )
})

test.serial('the router answers pings on its own addresses, on every host', async (t) => {
  for (const [from, address] of [
    ['a', '10.10.0.1'],
    ['a', 'fd00:10::1'],
    ['a', '10.20.0.1'],
    ['y', '10.20.0.1'],
    ['y', 'fd00:20::1'],
    ['q', '10.30.0.1'],
    ['a', '10.40.0.1'],
  ] as const) {
    const { ok } = await rig.guests.ask(port(from), { op: 'ping', address, timeout_ms: 3000 })
    t.true(ok, `${address} answers ${from}`)
  }
  const { ok } = await rig.guests.ask(port('a'), { op: 'ping', address: '10.20.0.99', timeout_ms: 500 })
  t.false(ok, 'nobody has that address')
})

test.serial(
  'what is routed has one hop less, and comes from the router’s MAC; on a provider network it leaves under one of the host',
  async (t) => {
    const [sender, y, p] = [
      await socketAt(t, { port: port('a') }),
      await socketAt(t, { port: port('y') }),
      await socketAt(t, { port: port('p') }),
    ]
    const wire = await socketAt(t, { host: 'h1', cable: 'physnet1' })
    const [blue, red] = [await legMac('blue'), await legMac('red')]
    const send = (dst: string, text: string): void =>
      sender.send(udp({ src: MAC.a, dst: blue }, { src: '10.10.0.11', dst }, { src: 7, dst: 7 }, Buffer.from(text)))
    send('10.20.0.12', 'to-y')
    const seen = await y.waitFor((f) => f.bytes.includes('to-y'), 3000)
    t.deepEqual(seen && [...macs(seen), seen.bytes[22]], [red, MAC.y, 63])
    send('10.30.0.12', 'to-p')
    const at = await p.waitFor((f) => f.bytes.includes('to-p'), 3000)
    const on = await wire.waitFor((f) => f.bytes.includes('to-p'), 3000)
    t.is(at?.bytes[22], 63)
    t.regex((on && macs(on)[0]) ?? '', /^fa:16:3f:/)
    t.deepEqual(on && macs(on)[1], MAC.p)
  },
)

test.serial('nothing is forwarded that must not be: no hop left, links, groups, other subnets’ addresses', async (t) => {
  const [sender, y] = [await socketAt(t, { port: port('a') }), await socketAt(t, { port: port('y') })]
  const blue = await legMac('blue')
  const frame = (src: string, dst: string): Buffer =>
    udp({ src: MAC.a, dst: blue }, { src, dst }, { src: 7, dst: 7 }, Buffer.from('forbidden'))
  const dying = frame('10.10.0.11', '10.20.0.12')
  dying[22] = 1
  sender.send(dying)
  sender.send(frame('10.10.0.99', '10.20.0.12'))
  sender.send(frame('10.10.0.11', '224.0.0.9'))
  sender.send(frame('10.10.0.11', '10.20.0.255'))
  sender.send(frame('fe80::f816:3eff:fe00:1', 'fd00:20::12'))
  sender.send(frame('fd00:10::11', 'ff02::1'))
  sender.send(udp({ src: MAC.a, dst: blue }, { src: '10.10.0.11', dst: '10.20.0.12' }, { src: 7, dst: 7 }, Buffer.from('allowed')))
  t.truthy(await y.waitFor((f) => f.bytes.includes('allowed'), 3000))
  t.deepEqual(
    y.received().filter((f) => f.bytes.includes('forbidden')),
    [],
  )
})

test.serial('interfaces, routes and routers come and go: who is routed loses no packet, and the flows are as before', async (t) => {
  const before = await flowTexts(rig, 'h1')
  let revision = (await rig.status())?.fleet.revision ?? 0
  const { udp: loss, tcp } = await lossDuring(rig.guests, { from: port('a'), to: port('y'), address: '10.20.0.12' }, async () => {
    for (const text of [
      routers({ first: ALL.filter((s) => s !== 'yard-v4'), routes: [TO_ISLAND] }),
      routers({ first: ALL, island: false }),
      WHOLE,
    ]) {
      await rig.write('routers.yaml', text)
      await rig.until('it is applied', (a) => a.repo === 'clean' && a.fleet.revision > revision && rig.isSettled(a))
      revision++
    }
  })
  t.log(`${loss.lost} of ${loss.sent} packets lost, largest gap ${loss.largest_gap_ms} ms`)
  t.true(tcp.ok)
  t.is(loss.lost, 0)
  t.deepEqual(await flowTexts(rig, 'h1'), before)
})

test.serial('agents and the server die and come back: nothing is lost, nothing written', async (t) => {
  const before = await flowTexts(rig, 'h1')
  const { udp: loss } = await lossDuring(rig.guests, { from: port('a'), to: port('y'), address: '10.20.0.12' }, async () => {
    await rig.stopAgent('h1', 'SIGKILL')
    await rig.stopServer('SIGKILL')
    await rig.startServer()
    await rig.agentBack('h1')
  })
  t.is(loss.lost, 0)
  t.deepEqual(await flowTexts(rig, 'h1'), before)
})

test.serial('a port moves to a host that had no port of its network: it is reached there', async (t) => {
  await rig.write('net.yaml', NET.replace('a: { network: blue, host: h1', 'a: { network: blue, host: h3'))
  await rig.follow()
  await rig.settled()
  const proof = await proveAll(
    rig.lab,
    pairs((from, to) => from === 'a' || to === 'a').filter((p) => p.reach),
  )
  t.deepEqual(describeWrong(proof), [])
  await rig.write('net.yaml', NET)
  await rig.follow()
  await rig.settled()
})

test.serial('a router that is down, or gone, leads nowhere; neighbours are still neighbours, and nothing is left of it', async (t) => {
  const same = (from: string, to: string): boolean => [from, to].every((n) => 'xy'.includes(n)) || [from, to].every((n) => 'pq'.includes(n))
  await rig.write('routers.yaml', WHOLE.replace('first: {', 'first: { admin_state_up: false,'))
  await rig.until('it is down', (a) => rig.hosts.every((h) => rig.object(a, makeKey('router', 'default', 'first'), h)?.state === 'DOWN'))
  t.deepEqual(describeWrong(await proveAll(rig.lab, pairs(same), { silence_ms: 200 })), [])
  await rig.remove('routers.yaml')
  await rig.until('it is gone', (a) => rig.isSettled(a) && rig.object(a, makeKey('router', 'default', 'first')) === undefined)
  t.deepEqual(describeWrong(await proveAll(rig.lab, pairs(same), { silence_ms: 200 })), [])
  for (const host of rig.hosts)
    t.deepEqual(
      (await flowTexts(rig, host)).filter((f) => /table=5[1-4]/.test(f)),
      [],
      host,
    )
  t.deepEqual(
    (await flowTexts(rig, 'h3')).filter((f) => f.includes('10.10.0.11') && !f.includes('table=90,')),
    [],
    'h3 knows of a port of blue that it is in the default group, and nothing else',
  )
})
