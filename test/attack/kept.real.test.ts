import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import type { Layer3 } from '../../src/lab/frame-build.ts'
import { FrameSocket } from '../../src/lab/frames.ts'
import { port, Rig } from '../faults/rig.ts'
import { framed, icmpMessage, PROTOCOL, udpSegment } from './forge.ts'

/*
 * What the switch keeps between frames: connections that no rule allows any more, of ports that have moved, and more of them than anybody needs; and members of groups whose addresses
 * somebody else has elsewhere.
 */

const mac = (n: number): string => `fa:16:3e:00:01:${n.toString(16).padStart(2, '0')}`

interface Now {
  readonly group?: string
  readonly network?: string
}

/** q answers whoever asks it, until it is in quarantine (`none`); m lives in blue until it moves to red, where other guests have the addresses of its old neighbours. w is the only member of web. */
function repository({ group = 'any', network = 'blue' }: Now = {}): string {
  const line = (name: string, n: number, more: string): string => `  ${name}: { mac_address: '${mac(n)}', ${more} }\n`
  return `hosts:
  h1: { tunnel_ip: 192.0.2.1 }
  h2: { tunnel_ip: 192.0.2.2 }
networks:
  blue: { network_type: vxlan }
  red: { network_type: vxlan }
subnets:
  blue-v4: { network: blue, cidr: 10.0.0.0/24 }
  blue-v6: { network: blue, cidr: 'fd00:1::/64' }
  red-v4: { network: red, cidr: 10.0.0.0/24 }
security_groups:
  any: { rules: [{ direction: ingress }, { direction: ingress, ethertype: IPv6 }] }
  none: { default_rules: false, rules: [] }
  out: {}
  web: {}
  db: { rules: [{ direction: ingress, remote_group: web, protocol: udp }] }
ports:
${line('q', 1, `network: blue, host: h1, security_groups: [${group}], fixed_ips: [{ ip_address: 10.0.0.21 }, { ip_address: 'fd00:1::21' }]`)}
${line('partner', 2, "network: blue, host: h2, security_groups: [any], fixed_ips: [{ ip_address: 10.0.0.22 }, { ip_address: 'fd00:1::22' }]")}
${line('m', 3, `network: ${network}, host: h1, security_groups: [out], fixed_ips: [{ ip_address: 10.0.0.30 }]`)}
${line('old', 4, 'network: blue, host: h1, security_groups: [any], fixed_ips: [{ ip_address: 10.0.0.31 }]')}
${line('new', 5, 'network: red, host: h1, security_groups: [out], fixed_ips: [{ ip_address: 10.0.0.31 }]')}
${line('w', 6, 'network: blue, host: h1, security_groups: [web], fixed_ips: [{ ip_address: 10.0.0.5 }]')}
${line('like-w', 7, 'network: red, host: h1, security_groups: [out], fixed_ips: [{ ip_address: 10.0.0.5 }]')}
${line('db', 8, 'network: red, host: h2, security_groups: [db], fixed_ips: [{ ip_address: 10.0.0.9 }]')}
${line('db-too', 9, 'network: blue, host: h2, security_groups: [db], fixed_ips: [{ ip_address: 10.0.0.10 }]')}
`
}

const NAMES = ['q', 'partner', 'm', 'old', 'new', 'w', 'like-w', 'db', 'db-too'] as const
type Name = (typeof NAMES)[number]
const macOf = (name: Name): string => mac(NAMES.indexOf(name) + 1)

let rig: Rig
const sockets = new Map<Name, FrameSocket>()
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': 'installation: faults\n', 'net.yaml': repository() })
  for (const name of NAMES) sockets.set(name, await FrameSocket.open(rig.lab, { port: port(name) }))
  // The first frames into a tunnel wait for ARP beneath it.
  for (let n = 0; n < 3; n++) await arrives('q', udp('q', 'partner', { src: '10.0.0.21', dst: '10.0.0.22' }, 9, 9), 'partner', 300)
})
test.after.always(async () => {
  await Promise.all([...sockets.values()].map(async (s) => await s.close()))
  await rig?.close()
})

type Marked = (mark: Buffer) => Buffer
let marks = 0

/** Whether a frame is seen there within some time. */
async function arrives(from: Name, frame: Marked, to: Name, ms = 1000): Promise<boolean> {
  const mark = Buffer.from(`<<${String(++marks).padStart(6, '0')}>>`)
  sockets.get(from)?.send(frame(mark))
  return (await sockets.get(to)?.waitFor(({ bytes }) => bytes.includes(mark), ms)) !== undefined
}

function udp(from: Name, to: Name, l3: Layer3, src: number, dst: number): Marked {
  return (mark) => framed({ src: macOf(from), dst: macOf(to) }, l3, PROTOCOL.udp, { body: udpSegment(l3, { src, dst }, mark) })
}

function echo6(from: Name, to: Name, l3: Layer3, type: 128 | 129): Marked {
  const body = (mark: Buffer): Buffer => icmpMessage(l3, type, 0, Buffer.concat([Buffer.from([0, 7, 0, 1]), mark]))
  return (mark) => framed({ src: macOf(from), dst: macOf(to) }, l3, PROTOCOL.icmpv6, { body: body(mark) })
}

/** IPv6 that says it carries ICMP of IPv4. */
function wrong(from: Name, to: Name, l3: Layer3, type: 0 | 8): Marked {
  const body = (mark: Buffer): Buffer => Buffer.concat([Buffer.from([type, 0, 0, 0, 0, 7, 0, 1]), mark])
  return (mark) => framed({ src: macOf(from), dst: macOf(to) }, l3, 1, { body: body(mark) })
}

async function apply(now: Now = {}): Promise<void> {
  const before = (await rig.status())?.fleet.revision ?? 0
  await rig.write('net.yaml', repository(now))
  await rig.committed(before + 1)
  await rig.settled()
}

const TO_Q: Readonly<Record<'v4' | 'v6', Layer3>> = {
  v4: { src: '10.0.0.22', dst: '10.0.0.21' },
  v6: { src: 'fd00:1::22', dst: 'fd00:1::21' },
}
const FROM_Q: typeof TO_Q = { v4: { src: '10.0.0.21', dst: '10.0.0.22' }, v6: { src: 'fd00:1::21', dst: 'fd00:1::22' } }

test.serial('a guest in quarantine answers nobody any more: datagrams, echoes of IPv6, what is no protocol of IPv6', async (t) => {
  const asked = async (): Promise<readonly boolean[]> => [
    await arrives('partner', udp('partner', 'q', TO_Q.v4, 1000, 2000), 'q'),
    await arrives('partner', echo6('partner', 'q', TO_Q.v6, 128), 'q'),
    await arrives('partner', wrong('partner', 'q', TO_Q.v6, 8), 'q', 300),
  ]
  const answers = async (ms: number): Promise<readonly boolean[]> => [
    await arrives('q', udp('q', 'partner', FROM_Q.v4, 2000, 1000), 'partner', ms),
    await arrives('q', echo6('q', 'partner', FROM_Q.v6, 129), 'partner', ms),
    await arrives('q', wrong('q', 'partner', FROM_Q.v6, 0), 'partner', ms),
  ]
  t.deepEqual(await asked(), [true, true, false])
  t.deepEqual(await answers(1000), [true, true, false])
  await apply({ group: 'none' })
  t.deepEqual(await answers(300), [false, false, false])
  t.deepEqual(await answers(300), [false, false, false], 'nor by asking again and again')
  await apply()
  t.deepEqual(await asked(), [true, true, false])
  t.deepEqual(await answers(1000), [true, true, false], 'the same connections, once a rule allows them')
})

test.serial('a port that moves to another network has no connection into it, whoever has the addresses there', async (t) => {
  t.true(await arrives('m', udp('m', 'old', { src: '10.0.0.30', dst: '10.0.0.31' }, 1111, 2222), 'old'))
  t.true(await arrives('old', udp('old', 'm', { src: '10.0.0.31', dst: '10.0.0.30' }, 2222, 1111), 'm'))
  await apply({ network: 'red' })
  t.false(await arrives('new', udp('new', 'm', { src: '10.0.0.31', dst: '10.0.0.30' }, 2222, 1111), 'm', 300))
  t.true(await arrives('m', udp('m', 'new', { src: '10.0.0.30', dst: '10.0.0.31' }, 1111, 2222), 'new'), 'it may speak there')
  t.true(await arrives('new', udp('new', 'm', { src: '10.0.0.31', dst: '10.0.0.30' }, 2222, 1111), 'm'), 'and is answered')
  await apply()
})

test.serial('who has the address of a member in another network is no member', async (t) => {
  t.true(await arrives('w', udp('w', 'db-too', { src: '10.0.0.5', dst: '10.0.0.10' }, 1, 5432), 'db-too'))
  t.false(await arrives('like-w', udp('like-w', 'db', { src: '10.0.0.5', dst: '10.0.0.9' }, 1, 5432), 'db', 300))
  t.false(await arrives('like-w', udp('like-w', 'db', { src: '10.0.0.5', dst: '10.0.0.9' }, 1, 5432), 'db', 300))
})

test.serial(
  'a port has its limit of connections, which goes with it; thousands are ended at once, and nobody else waits for that',
  async (t) => {
    const limits = async (): Promise<readonly string[]> =>
      (await rig.on('h1', 'ovs-appctl', 'dpctl/ct-get-limits')).split('\n').filter((line) => line.startsWith('zone='))
    const all = await limits()
    t.is(all.length, 6, 'a zone for each port of h1')
    t.true(all.every((line) => line.includes('limit=262144')))
    const kept = async (): Promise<number> =>
      (await rig.on('h1', 'ovs-appctl', 'dpctl/dump-conntrack')).split('\n').filter((line) => line.includes('dport=53)')).length
    // A busy machine loses some of a burst before the switch has it.
    await rig.seen('they are kept', async () => {
      for (let n = 0; n < 3000; n++) sockets.get('q')?.send(udp('q', 'partner', FROM_Q.v4, 10_000 + n, 53)(Buffer.from('many')))
      await sleep(500)
      return (await kept()) > 1500
    })
    await apply({ group: 'none' })
    t.is(await kept(), 0)
    await apply()
    await rig.write('net.yaml', repository().replace(/^ {2}q: .*$/m, ''))
    await rig.seen('the limit goes with the port', async () => (await limits()).length === 5)
  },
)
