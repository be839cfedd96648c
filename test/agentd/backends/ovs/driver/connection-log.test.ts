import test from 'ava'
import type { Logging } from '../../../../../agentd/backends/ovs/compile/logged.ts'
import { ConnectionLog } from '../../../../../agentd/backends/ovs/driver/connection-log.ts'
import type { Trapped } from '../../../../../agentd/backends/ovs/driver/packet-channel.ts'
import { neighborSolicitation, udp } from '../../../../../src/lab/frame-build.ts'
import type { Key } from '../../../../../src/model/key.ts'
import { isPacket, type LogEntry } from '../../../../../src/model/log-entry.ts'

const key = (text: string): Key => text as Key
const LOGGING: Logging = {
  ports: new Map([
    [
      0x10000001,
      {
        port: key('port/default/db'),
        accept: [key('log/default/a')],
        drop: [key('log/default/d')],
        groups: [key('security_group/default/db')],
      },
    ],
  ]),
  rules: new Map([[7, { direction: 'ingress', group: key('security_group/default/db'), words: 'udp 5 from anybody' }]]),
  meters: new Map([
    [70001, 'ACCEPT'],
    [70002, 'DROP'],
  ]),
  limit: { rate: 100, burst: 25 },
}
const FRAME = udp(
  { src: 'fa:16:3e:00:00:0b', dst: 'fa:16:3e:00:00:0c' },
  { src: '10.0.0.5', dst: '10.0.0.9' },
  { src: 1, dst: 5 },
  Buffer.from('x'),
)

/** As a flow would have sent it: cause and direction as it says them. */
function packet(cause: number, direction: number, registers: Readonly<Record<string, bigint>>): Trapped {
  const metadata = Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, { value }]))
  return {
    packet: FRAME,
    length: 60,
    table: 91,
    cookie: 0n,
    reason: 'action',
    metadata,
    userdata: Buffer.alloc(0),
    data: Buffer.from([cause, direction]),
  }
}

function open() {
  const entries: LogEntry[] = []
  const dropped = new Map<number, number>()
  const timers: (() => void)[] = []
  const clock = { now: 0 }
  const log = new ConnectionLog({
    onEntry: (entry) => entries.push(entry),
    meterStats: async () =>
      [...dropped].map(([meter, packets]) => ({ meter, flows: 1, packets: 0, bytes: 0, bands: [{ packets, bytes: 0 }] })),
    now: () => clock.now,
    setTimer: (_, fn) => {
      timers.push(fn)
      return { cancel: () => timers.splice(timers.indexOf(fn) >>> 0, 1) }
    },
  })
  const second = async (): Promise<void> => {
    clock.now += 1000
    for (const timer of timers.splice(0)) timer()
    await new Promise(setImmediate)
  }
  return { log, entries, dropped, clock, second, timers }
}

test('which port, rule and cause; what nobody knows of is passed over', (t) => {
  const { log, entries } = open()
  log.know(LOGGING)
  log.take(packet(0, 1, { reg2: 0x10000001n, reg10: 7n }))
  log.take(packet(1, 0, { reg1: 0x10000001n }))
  log.take(packet(0, 1, { reg2: 0x10000002n, reg10: 7n }))
  log.take(packet(0, 1, { reg2: 0x10000001n }))
  log.take(packet(0, 0, { reg1: 0x10000001n, reg10: 7n }))
  log.take(packet(9, 1, { reg2: 0x10000001n, reg10: 7n }))
  t.is(entries.length, 2)
  t.like(entries[0], { verdict: 'ACCEPT', direction: 'ingress', rule: 'udp 5 from anybody', logs: [key('log/default/a')], dst_port: 5 })
  t.like(entries[1], { verdict: 'DROP', direction: 'egress', cause: 'no rule', logs: [key('log/default/d')] })
})

test('a router solicitation is no connection that anybody tried', (t) => {
  const { log, entries } = open()
  log.know(LOGGING)
  const frame = neighborSolicitation({ src: 'fa:16:3e:00:00:0b', dst: '33:33:00:00:00:02' }, { src: 'fe80::1', dst: 'ff02::2' }, 'fe80::2')
  for (const type of [133, 143, 128]) {
    frame.writeUInt8(type, 54)
    log.take({ ...packet(3, 1, { reg2: 0x10000001n }), packet: frame })
  }
  t.deepEqual(
    entries.filter(isPacket).map((e) => e.icmp_type),
    [128],
  )
})

test('packets of flows that were just replaced are still understood', (t) => {
  const { log, entries } = open()
  log.know(LOGGING)
  log.know({ ...LOGGING, ports: new Map(), rules: new Map() })
  log.take(packet(0, 1, { reg2: 0x10000001n, reg10: 7n }))
  t.is(entries.length, 1)
})

test('what meters hold back is counted from the first look on; one made anew counts from nothing', async (t) => {
  const { log, entries, dropped, second } = open()
  log.know(LOGGING)
  dropped.set(70002, 500)
  log.restart()
  await new Promise(setImmediate)
  log.take(packet(1, 1, { reg2: 0x10000001n }))
  dropped.set(70002, 520)
  await second()
  dropped.set(70002, 8)
  await second()
  await second()
  t.deepEqual(
    entries.filter((e) => !isPacket(e)),
    [
      { time: '1970-01-01T00:00:01.000Z', verdict: 'DROP', suppressed: 20 },
      { time: '1970-01-01T00:00:02.000Z', verdict: 'DROP', suppressed: 8 },
    ],
  )
})

test('without a meter no more than twice the limit, and the others are counted; then nobody asks any more', async (t) => {
  const { log, entries, second, timers, clock } = open()
  log.know(LOGGING)
  for (let i = 0; i < 10_000; i++) log.take(packet(1, 1, { reg2: 0x10000001n }))
  t.is(entries.length, 250)
  await second()
  t.like(entries[250], { verdict: 'DROP', suppressed: 9750 })
  clock.now += 60_000
  log.take(packet(1, 1, { reg2: 0x10000001n }))
  t.is(entries.length, 252)
  await second()
  await second()
  t.deepEqual(timers, [])
})
