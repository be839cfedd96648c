import test from 'ava'
import { harmOf } from '../../../../../agentd/backends/ovs/driver/outranking.ts'
import { parseFlow } from '../../../../../agentd/backends/ovs/flow/parse.ts'

/** Some flows of the classifier as we make them, by name. */
const OWN = [
  ['port 3', 'table=0,priority=100,in_port=3,vlan_tci=0x0000/0x1fff,actions=goto_table:10'],
  ['port 4', 'table=0,priority=100,in_port=4,vlan_tci=0x0000/0x1fff,actions=goto_table:10'],
  ['tunnel', 'table=0,priority=90,tun_id=0x64,tun_src=192.0.2.2,in_port=9,vlan_tci=0x0000/0x1fff,actions=goto_table:30'],
  ['vlan', 'table=0,priority=80,in_port=7,dl_vlan=120,actions=goto_table:30'],
  ['default', 'table=0,priority=0,actions=drop'],
].map(([key = '', text = '']) => ({ key, flow: parseFlow(text) }))

function harm(text: string): string {
  const found = harmOf(parseFlow(text), OWN)
  return found === undefined ? '' : `${found.cause} | ${found.spoils.join()}`
}

const ends = (flow: string): string => `ovs-ofctl --strict del-flows br-int "${flow}"`

test('a flow above all of ours that matches everything takes all frames of the host', (t) => {
  t.is(
    harm('table=0,priority=65535,actions=drop'),
    `a flow of others on br-int drops all frames of this host: ${ends('table=0,priority=65535')} | port 3,port 4,tunnel,vlan,default`,
  )
  t.is(
    harm('table=0,priority=101,actions=NORMAL'),
    `a flow of others on br-int takes all frames of this host: ${ends('table=0,priority=101')} | port 3,port 4,tunnel,vlan,default`,
  )
})

test('one that covers some of ours, or takes a part of their frames, is told with their number', (t) => {
  t.is(
    harm('table=0,priority=200,in_port=3,actions=drop'),
    `a flow of others on br-int drops frames that 1 flow of ours in table classify is for: ${ends('table=0,priority=200,in_port=3')} | port 3`,
  )
  t.is(
    harm('table=0,priority=95,actions=drop'),
    `a flow of others on br-int drops frames that 2 flows of ours in table classify are for: ${ends('table=0,priority=95')} | tunnel,vlan,default`,
  )
  t.is(
    harm('table=0,priority=200,icmp,actions=drop'),
    `a flow of others on br-int drops frames that 4 flows of ours in table classify are for: ${ends('table=0,priority=200,icmp')} | `,
  )
  t.is(
    harm('table=0,priority=200,tun_src=192.0.2.0/24,actions=drop'),
    `a flow of others on br-int drops frames that 4 flows of ours in table classify are for: ${ends('table=0,priority=200,tun_src=192.0.2.0/24')} | tunnel`,
  )
  t.is(
    harm('table=0,priority=100,in_port=4,vlan_tci=0x0000/0x1fff,ip,actions=drop'),
    `a flow of others on br-int drops frames that 1 flow of ours in table classify is for: ${ends('table=0,priority=100,ip,in_port=4,vlan_tci=0x0000/0x1fff')} | `,
  )
})

test('one that only takes what no flow of ours lets in, and takes all of it, is told too', (t) => {
  t.is(
    harm('table=0,priority=1,actions=NORMAL'),
    `a flow of others on br-int takes frames that no flow of ours lets in: ${ends('table=0,priority=1')} | default`,
  )
})

test('below ours, beside ours, and on ports that nobody declared: no harm', (t) => {
  for (const text of [
    'table=0,priority=99,in_port=3,actions=drop',
    'table=0,priority=9,in_port=99,actions=drop',
    'table=0,priority=65535,in_port=99,actions=NORMAL',
    'table=0,priority=200,in_port=3,dl_vlan=5,actions=drop',
    'table=0,priority=200,in_port=7,dl_vlan=121,actions=drop',
    'table=0,priority=200,in_port=9,tun_id=0x65,actions=drop',
  ])
    t.is(harm(text), '', text)
})

test('a host that holds no flow of ours loses none', (t) => {
  t.is(harmOf(parseFlow('table=0,priority=65535,actions=drop'), []), undefined)
})
