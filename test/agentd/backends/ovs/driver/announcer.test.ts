import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import type { Announced } from '../../../../../agentd/backends/ovs/compile/announced.ts'
import { Announcer, announcement } from '../../../../../agentd/backends/ovs/driver/announcer.ts'
import { makeKey } from '../../../../../src/model/key.ts'

const at = (name: string, flow: string, network = 7): Announced => ({
  port: makeKey('port', 'default', name),
  mac: 'fa:16:3e:00:00:01',
  network,
  flow,
})

function rig(): { readonly announcer: Announcer; readonly sent: string[] } {
  const sent: string[] = []
  const send = async ({ actions }: { readonly actions: unknown }): Promise<boolean> => {
    sent.push(JSON.stringify(actions, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v)).includes('"8"') ? 'network 8' : 'network 7')
    return true
  }
  return { announcer: new Announcer({ send }), sent }
}

test('the frame: a reverse ARP request of 60 bytes from the MAC to everyone (RFC 903)', (t) => {
  const frame = announcement('fa:16:3e:00:00:01')
  t.is(frame.length, 60)
  t.is(frame.toString('hex', 0, 42), 'fffffffffffffa163e00000180350001080006040003fa163e00000100000000fa163e00000100000000')
})

test('a process that starts announces what it wrote itself, not what it found', async (t) => {
  const { announcer, sent } = rig()
  announcer.wrote(['flow b'])
  announcer.settle([at('a', 'flow a'), at('b', 'flow b', 8)], () => true)
  await sleep(20)
  t.deepEqual(sent, ['network 8'])
  await announcer.close()
})

test('announced again when plugged elsewhere or in another network; not when nothing changed', async (t) => {
  const { announcer, sent } = rig()
  announcer.settle([at('a', 'flow 1')], () => true)
  announcer.settle([at('a', 'flow 1')], () => true)
  await sleep(20)
  t.deepEqual(sent, [])
  announcer.settle([at('a', 'flow 2')], () => true)
  await sleep(20)
  announcer.settle([at('a', 'flow 2', 8)], () => true)
  await sleep(20)
  t.deepEqual(sent, ['network 7', 'network 8'])
  await announcer.close()
})

test('not before its flow stands; then three times, unless it has gone', async (t) => {
  const { announcer, sent } = rig()
  announcer.settle([], () => true)
  announcer.settle([at('a', 'flow 1')], () => false)
  await sleep(20)
  t.deepEqual(sent, [])
  announcer.settle([at('a', 'flow 1')], () => true)
  await sleep(250)
  t.is(sent.length, 2)
  announcer.settle([], () => true)
  await sleep(1000)
  t.is(sent.length, 2)
  announcer.settle([at('a', 'flow 1')], () => true)
  await sleep(1200)
  t.is(sent.length, 5)
  await announcer.close()
})
