import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { tagged, udp } from '../../src/lab/frame-build.ts'
import { type Frame, FrameSocket } from '../../src/lab/frames.ts'
import { lossDuring } from '../../src/lab/probe.ts'
import { makeKey } from '../../src/model/key.ts'
import { port, Rig } from './rig.ts'
import { flowsOf, rewritten } from './switch.ts'

const SITE = `installation: faults
guards: { delete_count: 1000, delete_ratio: 1, delete_settle_ms: 200 }
`
/** a on h1 and c on h2 talk. m listens. p on h1 is a trunk's parent, with s and l as subports. */
const PORTS: Readonly<Record<string, { readonly host?: string; readonly network: string; readonly n: number }>> = {
  a: { host: 'h1', network: 'blue', n: 11 },
  c: { host: 'h2', network: 'blue', n: 13 },
  m: { host: 'h3', network: 'watch', n: 21 },
  p: { host: 'h1', network: 'green', n: 31 },
  s: { network: 'blue', n: 32 },
  l: { network: 'lone', n: 33 },
}
const NET = `hosts:
  h1: { tunnel_ip: 192.0.2.1 }
  h2: { tunnel_ip: 192.0.2.2 }
  h3: { tunnel_ip: 192.0.2.3 }
security_groups: { open: { rules: [{ direction: ingress }] } }
networks: { blue: { network_type: vxlan }, watch: { network_type: local }, green: { network_type: local, mtu: 1450 }, lone: { network_type: local, mtu: 1450 } }
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/24 }
  watch-v4: { network: watch, cidr: 10.20.0.0/24 }
  green-v4: { network: green, cidr: 10.30.0.0/24 }
  lone-v4: { network: lone, cidr: 10.40.0.0/24 }
trunks: { t: { port: p, subports: [{ port: s, segmentation_id: 100 }, { port: l, segmentation_id: 200 }] } }
`
const PREFIX: Readonly<Record<string, string>> = { blue: '10.10.0', watch: '10.20.0', green: '10.30.0', lone: '10.40.0' }

function ports(hosts: Readonly<Record<string, string>> = {}, more: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries(PORTS).map(([name, { host, network }]) => {
    const at = hosts[name] ?? host
    return `  ${name}: { network: ${network},${at === undefined ? '' : ` host: ${at},`} mac_address: '${macOf(name)}', fixed_ips: [{ ip_address: ${ipOf(name)} }], security_groups: [open]${more[name] ?? ''} }`
  })
  return `ports:\n${lines.join('\n')}\n`
}

function macOf(name: string): string {
  return `fa:16:3e:00:00:${PORTS[name]?.n}`
}

function ipOf(name: string): string {
  return `${PREFIX[PORTS[name]?.network ?? '']}.${PORTS[name]?.n}`
}

function tap(receiver: string, source: string): string {
  return `tap_services: { t: { port: ${receiver} } }\ntap_flows: { f: { tap_service: t, source_port: ${source}, direction: BOTH } }\n`
}

let rig: Rig
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': SITE, 'net.yaml': NET, 'ports.yaml': ports() })
  await rig.guests.ready(['a', 'c', 'm', 'p'].map(port))
})
test.after.always(async () => await rig?.close())

async function change(files: Readonly<Record<string, string | undefined>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const at = (await rig.status())?.fleet.revision ?? 0
    if (text === undefined) await rig.remove(name)
    else await rig.write(name, text)
    await rig.committed(at + 1)
  }
  await rig.settled()
}

async function socketAt(t: ExecutionContext, name: string): Promise<FrameSocket> {
  const socket = await FrameSocket.open(rig.lab, { port: port(name) })
  t.teardown(async () => await socket.close())
  return socket
}

function says(from: string, to: string, text: string): Buffer {
  const payload = Buffer.from(text.padEnd(40))
  return udp({ src: macOf(from), dst: macOf(to) }, { src: ipOf(from), dst: ipOf(to) }, { src: 4000, dst: 7001 }, payload)
}

const is = (frame: Buffer) => (f: Frame) => f.bytes.equals(frame)

/** Said until it is heard: the first frame to a host is lost while its switch asks for the other end of the tunnel. */
async function heard(t: ExecutionContext, from: FrameSocket, by: FrameSocket, said: Buffer, as = said): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    from.send(said)
    if ((await by.waitFor(is(as), 300)) !== undefined) return
  }
  t.fail(`${as.subarray(42, 82).toString('latin1').trim()} is not heard`)
}

const MIRROR = `tap_mirrors: { e: { port: a, mirror_type: erspanv1, remote_ip: 192.0.2.99, directions: { IN: 1, OUT: 2 } } }\n`

test.serial('taps and mirrors come and go: those who talk lose no packet, flows of others are not written again', async (t) => {
  const before = await flowsOf(rig, 'h1')
  const { udp: loss, tcp } = await lossDuring(rig.guests, { from: port('c'), to: port('a'), address: ipOf('a') }, async () => {
    await change({ 'taps.yaml': tap('m', 'a') })
    await change({ 'taps.yaml': `${tap('m', 'a').replace('BOTH', 'IN')}${MIRROR}` })
    await change({ 'taps.yaml': undefined })
  })
  t.log(`${loss.lost} of ${loss.sent} packets lost, largest gap ${loss.largest_gap_ms} ms; ${tcp.retransmitted} segments again`)
  t.true(tcp.ok)
  t.is(loss.lost, 0)
  const again = rewritten(before, await flowsOf(rig, 'h1'))
  // The way in and out of the port that is listened to.
  t.deepEqual(
    again.filter((f) => !/ table=(0|110), priority=(50|100),/.test(f)),
    [],
  )
  t.true(again.length <= 2, again.join('\n'))
})

test.serial('who listens is held to what it may receive, and costs nobody else a packet', async (t) => {
  await change({
    'qos.yaml':
      'qos_policies: { slow: { rules: [{ type: bandwidth_limit, direction: ingress, max_kbps: 500, max_burst_kbps: 100 }, { type: packet_rate_limit, direction: ingress, max_kpps: 100 }] } }\n',
    'ports.yaml': ports({}, { m: ', qos_policy: slow' }),
    'taps.yaml': tap('m', 'a'),
  })
  const listener = await socketAt(t, 'm')
  let ms = 0
  const { udp: loss } = await lossDuring(
    rig.guests,
    { from: port('a'), to: port('c'), address: ipOf('c'), bytes_per_s: 1000, pps: 1000 },
    async () => {
      listener.clear()
      const start = performance.now()
      await sleep(1500)
      ms = performance.now() - start
    },
  )
  const got = listener.received().reduce((bits, f) => bits + f.bytes.length * 8, 0) / ms / 1000
  t.log(`${loss.lost} of ${loss.sent} packets lost; the listener got ${got.toFixed(2)} Mbit/s of some 1.6`)
  t.is(loss.lost, 0)
  t.true(got > 0.3 && got < 0.75, `${got}`)
  await change({ 'taps.yaml': undefined, 'ports.yaml': ports(), 'qos.yaml': undefined })
})

test.serial('subports: copied as the subport’s own frames, without its tag; and handed to one with its own', async (t) => {
  await change({ 'taps.yaml': tap('m', 's') })
  const [parent, c, m] = [await socketAt(t, 'p'), await socketAt(t, 'c'), await socketAt(t, 'm')]
  const [out, back] = [says('s', 'c', 'from the subport'), says('c', 's', 'to the subport')]
  await heard(t, parent, m, tagged(out, 100), out)
  c.send(back)
  t.truthy(await m.waitFor(is(back), 2000), 'and back')
  t.is(m.received().filter((f) => f.bytes.readUInt16BE(12) === 0x8100).length, 0)
  // The other subport of the same trunk listens: the copy leaves by the interface that its frame came in by.
  await change({ 'taps.yaml': tap('l', 's') })
  await heard(t, parent, parent, tagged(out, 100), tagged(out, 200))
  t.is(parent.received().filter(is(tagged(out, 100))).length, 0)
  await change({ 'taps.yaml': undefined })
})

test.serial('source and listener move by one line each, and the copies with them', async (t) => {
  await change({ 'taps.yaml': tap('m', 'a') })
  for (const [hosts, text] of [
    [{ a: 'h2' }, 'from another host'],
    [{ a: 'h2', m: 'h2' }, 'both on one host'],
    [{ a: 'h1', m: 'h2' }, 'to another host'],
  ] as const) {
    await rig.write('ports.yaml', ports(hosts))
    await rig.follow()
    await rig.until('all there', (x) => rig.isSettled(x) && rig.object(x, makeKey('tap_flow', 'default', 'f'), hosts.a)?.state === 'ACTIVE')
    await rig.guests.ready(['a', 'c', 'm'].map(port))
    const [a, m] = [await socketAt(t, 'a'), await socketAt(t, 'm')]
    const said = says('a', 'c', text)
    await heard(t, a, m, said)
  }
  t.deepEqual(
    [...(await flowsOf(rig, 'h3')).keys()].filter((f) => /table=12[5-7]/.test(f)),
    [],
  )
})
