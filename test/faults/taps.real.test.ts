import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { arp, BROADCAST_MAC, udp } from '../../src/lab/frame-build.ts'
import { FrameSocket } from '../../src/lab/frames.ts'
import { makeKey } from '../../src/model/key.ts'
import { Collector, type Packed } from './collector.ts'
import { port, Rig } from './rig.ts'
import { differences, everything, flowsOf, flowTexts, rewritten } from './switch.ts'

const SITE = `installation: faults
guards: { delete_count: 1000, delete_ratio: 1, delete_settle_ms: 200 }
`
/** a and b on h1 and c on h2 talk; m1, m2 and m3 listen, each on a network where nobody else is, and m3 on a host that has nothing else. */
const HERE: Readonly<Record<string, { readonly host: string; readonly network: string; readonly n: number; readonly more?: string }>> = {
  a: { host: 'h1', network: 'blue', n: 11, more: ', security_groups: [some]' },
  b: { host: 'h1', network: 'blue', n: 12, more: ', security_groups: [open]' },
  c: { host: 'h2', network: 'blue', n: 13, more: ', security_groups: [open]' },
  m1: { host: 'h1', network: 'watch', n: 21 },
  m3: { host: 'h3', network: 'lone', n: 23 },
}
const NET = `hosts:
  h1: { tunnel_ip: 192.0.2.1 }
  h2: { tunnel_ip: 192.0.2.2 }
  h3: { tunnel_ip: 192.0.2.3 }
networks:
  blue: { network_type: vxlan }
  watch: { network_type: geneve }
  lone: { network_type: local }
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/24 }
  watch-v4: { network: watch, cidr: 10.10.0.0/24 }
  lone-v4: { network: lone, cidr: 10.10.0.0/24 }
security_groups:
  open: { rules: [{ direction: ingress }] }
  some:
    rules:
      - { direction: ingress, protocol: udp, port_range_min: 7000, port_range_max: 7001 }
      - { direction: ingress, protocol: tcp }
      - { direction: ingress, protocol: icmp }
`
function ports(hosts: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries(HERE).map(
    ([name, { host, network, n, more = '' }]) =>
      `  ${name}: { network: ${network}, host: ${hosts[name] ?? host}, mac_address: '${macOf(name)}', fixed_ips: [{ ip_address: 10.10.0.${n} }]${more} }`,
  )
  return `ports:\n${lines.join('\n')}\n`
}

function macOf(name: string): string {
  return `fa:16:3e:00:00:${HERE[name]?.n}`
}

type Direction = 'IN' | 'OUT' | 'BOTH'

function taps(receiver: string, direction: Direction, source = 'a'): string {
  return `tap_services: { t: { port: ${receiver} } }\ntap_flows: { f: { tap_service: t, source_port: ${source}, direction: ${direction} } }\n`
}

let rig: Rig
let collector: Collector
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': SITE, 'net.yaml': NET, 'ports.yaml': ports() })
  collector = await Collector.start(rig.lab, ['192.0.2.99'])
  await rig.guests.ready(Object.keys(HERE).map(port))
})
test.after.always(async () => {
  await collector?.close()
  await rig?.close()
})

async function change(files: Readonly<Record<string, string | undefined>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const at = (await rig.status())?.fleet.revision ?? 0
    if (text === undefined) await rig.remove(name)
    else await rig.write(name, text)
    await rig.committed(at + 1)
  }
  await rig.settled()
}

type Sockets = Readonly<Record<string, FrameSocket>>

async function socketsAt(t: ExecutionContext, ...names: readonly string[]): Promise<Sockets> {
  const open = async (name: string): Promise<[string, FrameSocket]> => {
    const socket = await FrameSocket.open(rig.lab, { port: port(name) })
    t.teardown(async () => await socket.close())
    return [name, socket]
  }
  return Object.fromEntries(await Promise.all(names.map(open)))
}

/** A datagram between two guests, that says its own name. */
function says(from: string, to: string, text: string, dport = 7000): Buffer {
  const l3 = { src: `10.10.0.${HERE[from]?.n}`, dst: to === 'all' ? '10.10.0.255' : `10.10.0.${HERE[to]?.n}` }
  const l2 = { src: macOf(from), dst: to === 'all' ? BROADCAST_MAC : macOf(to) }
  return udp(l2, l3, { src: 4000, dst: dport }, Buffer.from(text.padEnd(40)))
}

/** Everything that is said, and in which of a's directions it counts. */
const SAID: readonly { readonly from: string; readonly frame: Buffer; readonly way?: 'IN' | 'OUT'; readonly reaches?: string }[] = [
  { from: 'a', frame: says('a', 'b', 'to the neighbour'), way: 'OUT', reaches: 'b' },
  { from: 'a', frame: says('a', 'c', 'to another host'), way: 'OUT', reaches: 'c' },
  { from: 'a', frame: says('a', 'all', 'to everybody'), way: 'OUT', reaches: 'c' },
  { from: 'a', frame: says('b', 'c', 'under the address of another'), way: 'OUT' },
  { from: 'b', frame: says('b', 'a', 'from the neighbour'), way: 'IN', reaches: 'a' },
  { from: 'c', frame: says('c', 'a', 'from another host'), way: 'IN', reaches: 'a' },
  { from: 'c', frame: says('c', 'all', 'from another to everybody'), way: 'IN', reaches: 'a' },
  { from: 'b', frame: says('b', 'a', 'that no rule lets in', 9) },
  { from: 'c', frame: says('c', 'a', 'that no rule lets in, from another host', 9) },
  { from: 'b', frame: says('b', 'c', 'between others'), reaches: 'c' },
  { from: 'c', frame: says('c', 'b', 'between others, back'), reaches: 'b' },
]

/** The first frame to a host is lost while its switch asks for the other end of the tunnel, and so is the first copy. */
async function warm(t: ExecutionContext, sockets: Sockets, hears: FrameSocket | undefined): Promise<void> {
  for (const socket of Object.values(sockets)) socket.clear()
  for (let attempt = 0; attempt < 10; attempt++) {
    sockets['a']?.send(says('a', 'c', 'warm'))
    sockets['c']?.send(says('c', 'a', 'warm'))
    const heard = await Promise.all([sockets['a'], sockets['c'], hears].map((s) => s?.waitFor((f) => f.bytes.includes('warm'), 300)))
    if (heard.every((f) => f !== undefined)) return
  }
  t.fail('nothing is heard')
}

/** All of it is said; what reaches guests does so once, and then every copy has had its time. */
async function sayAll(t: ExecutionContext, sockets: Sockets): Promise<void> {
  for (const socket of Object.values(sockets)) socket.clear()
  for (const { from, frame, reaches } of SAID) {
    sockets[from]?.send(frame)
    if (reaches !== undefined) t.truthy(await sockets[reaches]?.waitFor((f) => f.bytes.equals(frame), 3000), textOf(frame))
  }
  await sleep(150)
  for (const { frame, reaches } of SAID) if (reaches !== undefined) t.is(count(sockets[reaches], frame), 1, `${textOf(frame)}: once`)
}

function textOf(frame: Buffer): string {
  return frame.subarray(42, 82).toString().trim()
}

function count(socket: FrameSocket | undefined, frame: Buffer): number {
  return socket?.received().filter((f) => f.bytes.equals(frame)).length ?? -1
}

/** Frames that stand at another place in the second list, each as its place and length. */
function unlike(all: readonly Buffer[], others: readonly Buffer[]): readonly string[] {
  const places = Array.from({ length: Math.max(all.length, others.length) }, (_, i) => i)
  return places
    .flatMap((i) =>
      others[i] !== undefined && all[i]?.equals(others[i]) === true ? [] : [`${i}: ${all[i]?.length} and ${others[i]?.length}`],
    )
    .slice(0, 5)
}

/** What is heard besides the frames that count: text of others, or anything that neither comes from a nor goes to it. */
function copied(frames: readonly Buffer[]): Record<string, number> {
  const out: Record<string, number> = {}
  for (const { frame } of SAID) {
    const times = frames.filter((f) => f.equals(frame)).length
    if (times > 0) out[textOf(frame)] = times
  }
  return out
}

function wanted(direction: Direction): Record<string, number> {
  const counts = SAID.filter(({ way }) => way !== undefined && (direction === 'BOTH' || way === direction))
  return Object.fromEntries(counts.map(({ frame }) => [textOf(frame), 1]))
}

/** Frames that are no copy of what the source has to do with. */
function strangers(frames: readonly Buffer[], source: string): readonly string[] {
  const own = Buffer.from(macOf(source).replaceAll(':', ''), 'hex')
  const known = (f: Buffer): boolean => f.subarray(0, 6).equals(own) || f.subarray(6, 12).equals(own) || (f[0] ?? 0) % 2 === 1
  return frames.filter((f) => !known(f) && !SAID.some((s) => s.frame.equals(f))).map((f) => f.toString('hex'))
}

const bytesOf = (socket: FrameSocket | undefined): readonly Buffer[] => socket?.received().map((f) => f.bytes) ?? []

for (const [receiver, where] of [
  ['m1', 'the same host'],
  ['m3', 'a host that shares no network'],
] as const) {
  test.serial(`each frame of the direction once, byte by byte, and nothing else: to a port on ${where}`, async (t) => {
    const sockets = await socketsAt(t, 'a', 'b', 'c', receiver)
    for (const direction of ['OUT', 'IN', 'BOTH'] as const) {
      await change({ 'taps.yaml': taps(receiver, direction) })
      await warm(t, sockets, sockets[receiver])
      await sayAll(t, sockets)
      const heard = bytesOf(sockets[receiver])
      t.deepEqual(copied(heard), wanted(direction), direction)
      t.deepEqual(strangers(heard, 'a'), [], direction)
    }
    const status = await rig.status()
    for (const [kind, name, host] of [
      ['tap_service', 't', HERE[receiver]?.host],
      ['tap_flow', 'f', 'h1'],
    ] as const)
      t.is(status && rig.object(status, makeKey(kind, 'default', name), host)?.state, 'ACTIVE', kind)
    t.deepEqual(
      (await rig.drift()).flatMap((h) => h.items ?? []),
      [],
    )
  })

  test.serial(`ping and TCP: the copies are what both sides hear, to a port on ${where}`, async (t) => {
    const sockets = await socketsAt(t, 'a', 'c', receiver)
    for (const socket of Object.values(sockets)) socket.clear()
    const address = '10.10.0.13'
    t.true((await rig.guests.ask(port('a'), { op: 'ping', address, timeout_ms: 3000, count: 3, size: 1000 })).ok)
    t.true((await rig.guests.ask(port('a'), { op: 'tcp', address, bytes: 30_000, timeout_ms: 5000 })).ok)
    await sleep(200)
    const heard = bytesOf(sockets[receiver])
    const own = Buffer.from(macOf('a').replaceAll(':', ''), 'hex')
    const isIp = (f: Buffer): boolean => f.readUInt16BE(12) === 0x0800
    const from = (all: readonly Buffer[]): readonly Buffer[] => all.filter((f) => isIp(f) && f.subarray(6, 12).equals(own))
    const to = (all: readonly Buffer[]): readonly Buffer[] => all.filter((f) => f.subarray(0, 6).equals(own))
    const [sent, received] = [from(heard), to(heard)]
    t.deepEqual(unlike(sent, from(bytesOf(sockets['c']))), [])
    t.deepEqual(unlike(received, to(bytesOf(sockets['a']))), [])
    t.log(`${sent.length} frames sent, ${received.length} received`)
    t.true(sent.length > 20 && received.length > 20 && sent.some((f) => f.length > 1400))
  })
}

test.serial('what the switch itself answers is a copy of what the port receives', async (t) => {
  await change({ 'taps.yaml': taps('m3', 'IN') })
  const sockets = await socketsAt(t, 'a', 'm3')
  const question = arp(
    { src: macOf('a'), dst: BROADCAST_MAC },
    1,
    { mac: macOf('a'), ip: '10.10.0.11' },
    { mac: '00:00:00:00:00:00', ip: '10.10.0.13' },
  )
  sockets['a']?.send(question)
  const isAnswer = (f: { bytes: Buffer }): boolean => f.bytes.readUInt16BE(12) === 0x0806 && f.bytes.readUInt16BE(20) === 2
  const answer = await sockets['a']?.waitFor(isAnswer, 3000)
  t.deepEqual((await sockets['m3']?.waitFor(isAnswer, 3000))?.bytes, answer?.bytes)
  await sleep(100)
  t.is(sockets['m3']?.received().filter(isAnswer).length, 1)
})

test.serial('who listens speaks into his own network only, and is spoken to as before', async (t) => {
  const sockets = await socketsAt(t, 'a', 'b', 'c', 'm1', 'm3')
  for (const name of ['m1', 'm3']) {
    await change({ 'taps.yaml': taps(name, 'BOTH') })
    for (const socket of Object.values(sockets)) socket.clear()
    // As his own, and as the one that he hears.
    for (const to of ['a', 'b', 'c', 'all']) {
      sockets[name]?.send(says(name, to, 'from who listens'))
      sockets[name]?.send(says('a', to, 'from who listens'))
    }
    await sleep(200)
    for (const other of ['a', 'b', 'c'])
      t.deepEqual(
        bytesOf(sockets[other]).filter((f) => f.includes('from who listens')),
        [],
        other,
      )
  }
})

test.serial('copies are not copied: the listener is listened to as well', async (t) => {
  await change({
    'taps.yaml': `tap_services: { t: { port: m1 }, u: { port: m3 } }
tap_flows: { f: { tap_service: t, source_port: a, direction: BOTH }, g: { tap_service: u, source_port: m1, direction: BOTH } }
`,
  })
  const sockets = await socketsAt(t, 'a', 'b', 'c', 'm1', 'm3')
  await warm(t, sockets, sockets['m1'])
  await sayAll(t, sockets)
  t.deepEqual(copied(bytesOf(sockets['m1'])), wanted('BOTH'))
  t.deepEqual(copied(bytesOf(sockets['m3'])), {})
  const own = says('m1', 'all', 'its own')
  const isOwn = (f: { bytes: Buffer }): boolean => f.bytes.equals(own)
  sockets['m1']?.send(own)
  // The first one may be lost while the switch asks for the other end of the tunnel.
  if ((await sockets['m3']?.waitFor(isOwn, 500)) === undefined) sockets['m1']?.send(own)
  t.truthy(await sockets['m3']?.waitFor(isOwn, 3000))
})

const MIRRORS = `tap_mirrors:
  g: { port: a, mirror_type: gre, remote_ip: 192.0.2.99, directions: { IN: 70000, OUT: 70001 } }
  e: { port: a, mirror_type: erspanv1, remote_ip: 192.0.2.99, directions: { IN: 1023, OUT: 5 } }
  both: { port: a, mirror_type: erspanv1, remote_ip: 192.0.2.99, directions: { BOTH: 6 } }
`

/** Of each kind and number, what came. */
function byNumber(packed: readonly Packed[]): Record<string, Record<string, number>> {
  const numbers = [...new Set(packed.map((p) => `${p.type} ${p.id}`))].sort()
  return Object.fromEntries(
    numbers.map((n) => [
      n,
      copied(packed.filter((p) => `${p.type} ${p.id}` === n && p.from === '192.0.2.1' && p.to === '192.0.2.99').map((p) => p.frame)),
    ]),
  )
}

test.serial('a collector outside gets each direction under its number, by GRE and by ERSPAN', async (t) => {
  await change({ 'taps.yaml': MIRRORS })
  const sockets = await socketsAt(t, 'a', 'b', 'c')
  // The switch asks for the collector's MAC when it has the first copy for it.
  await warm(t, sockets, collector.socket)
  await sleep(100)
  collector.socket.clear()
  await sayAll(t, sockets)
  t.deepEqual(byNumber(collector.packed()), {
    'erspanv1 1023': wanted('IN'),
    'erspanv1 5': wanted('OUT'),
    'erspanv1 6': wanted('BOTH'),
    'gre 70000': wanted('IN'),
    'gre 70001': wanted('OUT'),
  })
  t.deepEqual(
    strangers(
      collector.packed().map((p) => p.frame),
      'a',
    ),
    [],
  )
  const status = await rig.status()
  t.is(status && rig.object(status, makeKey('tap_mirror', 'default', 'e'), 'h1')?.state, 'ACTIVE')
  t.deepEqual(
    (await rig.drift()).flatMap((h) => h.items ?? []),
    [],
  )
})

test.serial('what others take away or change is put back: flows of copies, the port towards the collector', async (t) => {
  const held = async (): Promise<string> => {
    const tunnel = await rig.vsctl('h1', '--bare', '--columns=type,ofport,options', 'find', 'Interface', 'name=nl-erspan')
    return [...(await flowTexts(rig, 'h1')), tunnel].join('\n')
  }
  const [before, written] = [await held(), await flowsOf(rig, 'h1')]
  const output = before.split('\n').find((f) => f.includes('table=110') && f.includes('clone('))
  const way = /reg2=0x[0-9a-f]+/.exec(output ?? '')?.[0] ?? ''
  t.not(way, '')
  const deeds: Readonly<Record<string, () => Promise<unknown>>> = {
    'flows of copies': async () => await rig.ofctl('h1', 'del-flows', 'br-int', 'table=125'),
    'the way of the port': async () => await rig.ofctl('h1', '--strict', 'del-flows', 'br-int', `table=110,priority=50,${way}`),
    'the tunnel port and its version': async () => {
      await rig.vsctl('h1', 'set', 'Interface', 'nl-erspan', 'options:erspan_ver=2')
      await rig.vsctl('h1', 'del-port', 'nl-erspan')
    },
  }
  for (const [what, deed] of Object.entries(deeds)) {
    await deed()
    t.log(`${what}: back after ${await rig.seen(`${what} is as it was`, async () => (await held()) === before, 8000)} ms`)
  }
  // It was done, and undone.
  const again = rewritten(written, await flowsOf(rig, 'h1'))
  for (const table of [110, 125])
    t.true(
      again.some((f) => f.includes(`table=${table},`)),
      `${table}`,
    )
})

test.serial('nothing is left: hosts hold what they held before', async (t) => {
  await change({ 'taps.yaml': undefined })
  const before = await everything(rig)
  await change({ 'taps.yaml': `${taps('m3', 'BOTH')}${MIRRORS}` })
  t.true(differences(before, await everything(rig)).length > 10)
  await change({ 'taps.yaml': undefined })
  t.deepEqual(differences(before, await everything(rig)), [])
  t.deepEqual(
    [...before].filter((l) => /nl-erspan|nl-gre|table=12[567]/.test(l)),
    [],
  )
})
