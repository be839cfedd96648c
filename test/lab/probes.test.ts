import test from 'ava'
import { exec, execOk } from '../../src/lab/exec.ts'
import { Guests } from '../../src/lab/guests.ts'
import { probe } from '../../src/lab/probe.ts'
import { allPairs, describeWrong, proveAll } from '../../src/lab/prove.ts'
import { guest, host, joinByHand, port, startLab } from './support.ts'

for (const family of [4, 6] as const) {
  test.serial(`guests on three hosts reach each other across VXLAN over IPv${family}`, async (t) => {
    const lab = await startLab(t, {
      hosts: [host(1, family), host(2, family), host(3, family)],
      guests: [guest(1, 1), guest(2, 1), guest(2, 2), guest(3, 1)],
    })
    await joinByHand(lab)
    const proof = await proveAll(
      lab,
      allPairs(lab, () => true),
    )
    t.deepEqual(describeWrong(proof), [])
    t.is(proof.results.length, 12 * 2 * 3)
    t.regex(proof.summary, /^12 of 12 pairs reach each other \(ping, TCP with payload, UDP with payload; IPv4 and IPv6; 72 probes in /)
  })
}

test.serial('a provider network spans the hosts, with tags and without', async (t) => {
  const lab = await startLab(t, { hosts: [host(1), host(2)], guests: [guest(1, 1), guest(2, 1), guest(2, 2)] })
  for (const name of ['h1', 'h2']) {
    await execOk(lab, { host: name }, ['ovs-vsctl', 'set-fail-mode', 'br-int', 'standalone'])
    const patch = (from: string, to: string, bridge: string): string[] => [
      ...['--', 'add-port', bridge, from, '--', 'set', 'Interface', from, 'type=patch', `options:peer=${to}`],
    ]
    await execOk(lab, { host: name }, ['ovs-vsctl', ...patch('to-ex', 'to-int', 'br-int').slice(1), ...patch('to-int', 'to-ex', 'br-ex')])
  }
  await execOk(lab, { host: 'h1' }, ['ovs-vsctl', 'set', 'Port', 'tap11000000-00', 'tag=101'])
  await execOk(lab, { host: 'h2' }, ['ovs-vsctl', 'set', 'Port', 'tap21000000-00', 'tag=101'])
  const tagged = new Set([port('p11'), port('p21')])
  const proof = await proveAll(
    lab,
    allPairs(lab, (from, to) => tagged.has(from) === tagged.has(to)),
  )
  t.deepEqual(describeWrong(proof), [])
  t.regex(proof.summary, /^2 of 2 pairs reach each other; 4 of 4 pairs that must not, do not/)
})

test.serial('a proof finds what is wrong: who does not answer, and who answers and must not', async (t) => {
  const lab = await startLab(t, { hosts: [host(1)], guests: [guest(1, 1), guest(1, 2), guest(1, 3, { addresses: ['10.10.1.3/16'] })] })
  await joinByHand(lab)
  await execOk(lab, { host: 'h1' }, ['ovs-ofctl', 'add-flow', 'br-int', 'priority=9,tcp,nw_dst=10.10.1.2,actions=drop'])
  const expected = [
    { from: port('p11'), to: port('p12'), reach: true },
    { from: port('p11'), to: port('p13'), reach: false },
  ]
  const proof = await proveAll(lab, expected, { kinds: ['ping', 'tcp'], timeout_ms: 700 })
  t.deepEqual(describeWrong(proof), [
    'port p11 → port p12 10.10.1.2 tcp: not connected in time',
    'port p11 → port p13 10.10.1.3 ping: answered, and must not be',
    'port p11 → port p13 10.10.1.3 tcp: answered, and must not be',
  ])
  t.regex(proof.summary, /^0 of 1 pairs reach each other; 0 of 1 pairs that must not, do not/)
})

test.serial('a guest with offloads left on shows why they are off: ping answers, TCP never connects', async (t) => {
  const lab = await startLab(t, { hosts: [host(1)], guests: [guest(1, 1), guest(1, 2)] })
  await joinByHand(lab)
  for (const p of ['p11', 'p12']) await execOk(lab, { port: port(p) }, ['ethtool', '-K', 'eth0', 'tx', 'on'])
  const guests = new Guests(lab)
  t.teardown(async () => await guests.close())
  await guests.ready([port('p12')])
  t.true((await probe(guests, port('p11'), '10.10.1.2', 'ping', 3000)).ok)
  t.false((await probe(guests, port('p11'), '10.10.1.2', 'tcp', 700)).ok)
  for (const p of ['p11', 'p12']) await execOk(lab, { port: port(p) }, ['ethtool', '-K', 'eth0', 'tx', 'off'])
  t.true((await probe(guests, port('p11'), '10.10.1.2', 'tcp', 3000)).ok)
})

test.serial('a packet that is larger than the guest’s MTU and must not be cut is refused', async (t) => {
  const lab = await startLab(t, { hosts: [host(1)], guests: [guest(1, 1), guest(1, 2)] })
  await joinByHand(lab)
  const ping = async (size: number): Promise<number> =>
    (await exec(lab, { port: port('p11') }, ['ping', '-n', '-c', '1', '-w', '2', '-M', 'do', '-s', `${size}`, '10.10.1.2'])).code
  t.is(await ping(1430 - 28), 0)
  t.not(await ping(1430 - 27), 0)
})
