import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { execOk } from '../../src/lab/exec.ts'
import { setCables } from '../../src/lab/faults.ts'
import { Guests } from '../../src/lab/guests.ts'
import { lossDuring, probe } from '../../src/lab/probe.ts'
import { guest, host, joinByHand, port, startLab } from './support.ts'

test.serial('the loss counter counts what a switch drops: every packet of 250 ms', async (t) => {
  const lab = await startLab(t, { hosts: [host(1), host(2)], guests: [guest(1, 1), guest(2, 1)] })
  await joinByHand(lab)
  const guests = new Guests(lab)
  t.teardown(async () => await guests.close())
  const between = { from: port('p11'), to: port('p21'), address: '10.10.2.1' }
  t.true((await probe(guests, between.from, between.address, 'ping', 3000)).ok)

  const calm = await lossDuring(guests, between, async () => await sleep(500))
  t.is(calm.udp.lost, 0)
  t.true(calm.udp.sent > 1500, `${calm.udp.sent} packets in 1.1 s`)
  t.true(calm.tcp.ok)

  const cut = await lossDuring(guests, between, async () => {
    await setCables(lab, 'h2', 'down')
    await sleep(250)
    await setCables(lab, 'h2', 'up')
  })
  t.true(cut.udp.largest_gap_ms >= 250, `gap ${cut.udp.largest_gap_ms} ms`)
  // At 2,000 packets/s the count and the gap are one measurement twice.
  t.true(
    Math.abs(cut.udp.lost / 2 - cut.udp.largest_gap_ms) < 0.2 * cut.udp.largest_gap_ms,
    `lost ${cut.udp.lost} in ${cut.udp.largest_gap_ms} ms`,
  )
  t.true(cut.tcp.ok, 'TCP gets over it')
  t.true(cut.tcp.largest_gap_ms >= 200 && cut.tcp.retransmitted > 0)
})

test.serial('the loss counter sees a switch that delivers one packet in two', async (t) => {
  const lab = await startLab(t, { hosts: [host(1)], guests: [guest(1, 1), guest(1, 2)] })
  await joinByHand(lab)
  const guests = new Guests(lab)
  t.teardown(async () => await guests.close())
  await guests.ready([port('p11'), port('p12')])
  // A meter of 1,000 packets/s with a small burst lets half of the counted packets pass.
  await execOk(lab, { host: 'h1' }, [
    'ovs-ofctl',
    '-O',
    'OpenFlow13',
    'add-meter',
    'br-int',
    'meter=1,pktps,burst,band=type=drop,rate=1000,burst_size=10',
  ])
  const flow = 'priority=9,udp,nw_dst=10.10.1.2,tp_dst=7001,actions=meter:1,NORMAL'
  await execOk(lab, { host: 'h1' }, ['ovs-ofctl', '-O', 'OpenFlow13', 'add-flow', 'br-int', flow])
  const { udp } = await lossDuring(guests, { from: port('p11'), to: port('p12'), address: '10.10.1.2' }, async () => await sleep(1000))
  t.true(Math.abs(udp.lost / udp.sent - 0.5) < 0.1, `lost ${udp.lost} of ${udp.sent}`)
})
