import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { startVswitchd, stopVswitchd } from '../../src/lab/faults.ts'
import { type EventLoss, lossDuring } from '../../src/lab/probe.ts'
import { crowd } from './repo.ts'
import { port, Rig } from './rig.ts'
import { flowsOf, rewritten } from './switch.ts'

/*
 * What events cost two guests on hosts h1 and h2 whose ports are not changed: UDP at 2,000 packets/s and a checked TCP transfer between them, over the tunnel. A
 * machine that does other work loses packets by itself, so each event stands beside a calm time of the same length just before, and is tried again when the calm
 * time was not calm either.
 */

let rig: Rig
test.before(async () => {
  rig = await Rig.up()
})
test.after.always(async () => await rig?.close())

/** Through the tunnel, on one host, and over a VLAN of the provider network. */
const FAR = { from: port('web-1'), to: port('web-2'), address: '10.10.0.12' }
const NEAR = { from: port('web-1'), to: port('db-1'), address: '10.10.0.21' }
const VLAN = { from: port('vault-1'), to: port('vault-2'), address: '10.20.0.12' }
const TRIES = 3

interface Measured {
  readonly calm: EventLoss
  readonly loss: EventLoss
}

function line(what: string, { udp, tcp, event_ms }: EventLoss): string {
  const packets = `${udp.lost} of ${udp.sent} packets lost${udp.receiver_dropped > 0 ? ` (${udp.receiver_dropped} of them by the counter itself)` : ''}`
  const gap = `largest gap ${udp.largest_gap_ms} ms (the sender's own pause ${udp.send_gap_ms} ms)`
  return `${what}: ${packets}, ${gap}; TCP ${tcp.ok ? 'whole' : (tcp.detail ?? 'broken')}, its largest gap ${tcp.largest_gap_ms} ms; in ${Math.round(event_ms)} ms`
}

/** The same event, beside a calm second; again (after `undo`) until `good`, at most three times. Every attempt is printed. */
async function measure(
  t: ExecutionContext,
  what: string,
  event: () => Promise<void>,
  good: (m: Measured) => boolean,
  undo: () => Promise<void> = async () => {},
  pair: typeof FAR = FAR,
): Promise<Measured> {
  for (let n = 1; ; n++) {
    const calm = await lossDuring(rig.guests, pair, async () => await sleep(1000))
    const loss = await lossDuring(rig.guests, pair, event)
    t.log(line('calm', calm))
    t.log(line(what, loss))
    if (n === TRIES || good({ calm, loss })) return { calm, loss }
    await undo()
  }
}

const lostOnTheWay = (l: EventLoss): number => l.udp.lost - l.udp.receiver_dropped
const nothingLost = ({ loss }: Measured): boolean => lostOnTheWay(loss) === 0 && loss.tcp.ok

test.serial('an agent that is killed and started again loses no packet, and writes no flow again', async (t) => {
  const before = await flowsOf(rig, 'h1')
  const kill = async (): Promise<void> => {
    await rig.stopAgent('h1', 'SIGKILL')
    await sleep(300)
    await rig.agentBack('h1')
  }
  const { loss } = await measure(t, 'agent killed', kill, nothingLost)
  t.is(lostOnTheWay(loss), 0)
  t.true(loss.tcp.ok)
  const after = await flowsOf(rig, 'h1')
  t.deepEqual(rewritten(before, after), [])
  t.deepEqual([...after.keys()].sort(), [...before.keys()].sort())
  const grown = [...after].filter(([text, f]) => f.packets > (before.get(text)?.packets ?? 0) + 500)
  t.log(`${grown.length} of ${after.size} flows went on counting`)
  t.true(grown.length >= 3)
})

test.serial('a server that is killed for a minute loses no packet, and changes nothing when it is back', async (t) => {
  const before = await flowsOf(rig, 'h1')
  const kill = async (): Promise<void> => {
    await rig.stopServer('SIGKILL')
    await sleep(60_000)
    await rig.startServer()
    await rig.settled()
  }
  const { loss } = await measure(t, 'server killed', kill, nothingLost)
  t.is(lostOnTheWay(loss), 0)
  t.true(loss.tcp.ok)
  t.deepEqual(rewritten(before, await flowsOf(rig, 'h1')), [])
})

const CROWD = 100
async function crowdIs(where: 'there' | 'gone'): Promise<void> {
  await rig.until(`the crowd is ${where}`, (a) => {
    const states = a.fleet.status.filter((s) => s.key.includes('/crowd-'))
    if (!rig.isSettled(a)) return false
    return where === 'gone' ? states.length === 0 : states.length === CROWD && states.every((s) => s.state === 'ACTIVE')
  })
}

async function crowdComes(): Promise<void> {
  await rig.write('crowd.yaml', crowd('h1', CROWD))
  await crowdIs('there')
}

async function crowdGoes(): Promise<void> {
  await rig.remove('crowd.yaml')
  await crowdIs('gone')
}

/** What an administrator would type for the same: one ovs-vsctl and one ip, whatever it costs. */
const byHand = {
  add: async (): Promise<void> => {
    const words = Array.from({ length: CROWD }, (_, n) => [
      '--',
      'add-port',
      'br-int',
      `raw-${n}`,
      '--',
      'set',
      'Interface',
      `raw-${n}`,
      'type=internal',
    ])
    await rig.vsctl('h1', ...words.flat().slice(1))
    const up = Array.from({ length: CROWD }, (_, n) => `link set raw-${n} up`).join('\n')
    await rig.on('h1', 'sh', '-c', `echo '${up}' | ip -batch -`)
  },
  remove: async (): Promise<void> => {
    const words = Array.from({ length: CROWD }, (_, n) => ['--', 'del-port', 'br-int', `raw-${n}`])
    await rig.vsctl('h1', ...words.flat().slice(1))
  },
}

for (const [where, pair] of Object.entries({ 'on the host itself': NEAR, 'over a VLAN': VLAN })) {
  test.serial(`100 ports added, then removed: no packet is lost ${where}, and no gap is over 50 ms`, async (t) => {
    const whole = ({ calm, loss }: Measured): boolean =>
      lostOnTheWay(loss) === 0 && loss.tcp.ok && loss.udp.largest_gap_ms <= Math.max(50, 1.5 * calm.udp.largest_gap_ms)
    t.true(whole(await measure(t, `100 ports added, ${where}`, crowdComes, whole, crowdGoes, pair)))
    t.true(whole(await measure(t, `100 ports removed, ${where}`, crowdGoes, whole, crowdComes, pair)))
  })
}

// Through a tunnel vswitchd itself loses a few: whenever a link of the host changes it forgets its routes and reads them again, and what it looks at meanwhile finds no way
// to the other host (docs/decisions/020). The same by hand shows it.
test.serial('100 ports added, then removed: through a tunnel not more is lost than vswitchd itself loses', async (t) => {
  await rig.stopAgent('h1')
  let rawLost = 0
  for (let n = 0; n < TRIES; n++) {
    const added = await lossDuring(rig.guests, FAR, byHand.add)
    const removed = await lossDuring(rig.guests, FAR, byHand.remove)
    t.log(line('by hand: 100 ports added by one ovs-vsctl, set up by one ip', added))
    t.log(line('by hand: 100 ports removed by one ovs-vsctl', removed))
    rawLost = Math.max(rawLost, lostOnTheWay(added))
  }
  await rig.agentBack('h1')

  // A reset of the routes takes some milliseconds, and strikes or not: at most as much as by hand, or what 25 ms of this flow are.
  const few = ({ loss }: Measured): boolean => lostOnTheWay(loss) <= Math.max(rawLost, 50) && loss.tcp.ok
  t.true(few(await measure(t, '100 ports added', crowdComes, few, crowdGoes)))
  const short = ({ calm, loss }: Measured): boolean => loss.tcp.ok && loss.udp.largest_gap_ms <= Math.max(50, 1.5 * calm.udp.largest_gap_ms)
  t.true(short(await measure(t, '100 ports removed', crowdGoes, short, crowdComes)))
})

test.serial('a crash of vswitchd costs what it costs when its flows are put back by hand', async (t) => {
  const restart = async (): Promise<void> => {
    await stopVswitchd(rig.lab, 'h1', 'SIGKILL')
    await startVswitchd(rig.lab, 'h1')
  }
  const ofctl = 'ovs-ofctl -O OpenFlow14'
  const ours = await lossDuring(rig.guests, FAR, async () => {
    const flows = (await flowsOf(rig, 'h1')).size
    await restart()
    await rig.seen('the flows are back', async () => (await flowsOf(rig, 'h1')).size >= flows)
    await sleep(500)
  })
  await rig.stopAgent('h1')
  const raw = await lossDuring(rig.guests, FAR, async () => {
    await rig.on('h1', 'sh', '-c', `${ofctl} --no-stats --no-names dump-flows br-int | grep actions= > "$OVS_RUNDIR/flows"`)
    await restart()
    await rig.on('h1', 'sh', '-c', `${ofctl} --bundle add-flows br-int "$OVS_RUNDIR/flows"`)
    await sleep(500)
  })
  await rig.agentBack('h1')
  t.log(line('with the agent', ours))
  t.log(line('by hand', raw))
  t.true(ours.udp.largest_gap_ms < Math.max(3000, 1.5 * raw.udp.largest_gap_ms))
  t.true(ours.tcp.ok)
})
