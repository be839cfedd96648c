import test from 'ava'
import type { ProviderFact } from '../../../../../agentd/backends/backend.ts'
import { providerFault } from '../../../../../agentd/backends/ovs/compile/provider.ts'
import { dropsOf } from '../../../../../agentd/backends/ovs/driver/provider-flows.ts'
import { parseFlow } from '../../../../../agentd/backends/ovs/flow/parse.ts'

const OURS = 5
const UPLINKS = [1, 2]

function drops(flows: readonly string[], missIsDrop: boolean, uplinks: readonly number[] = UPLINKS): ProviderFact['drops'] {
  return dropsOf({ flows: flows.map((f) => parseFlow(`table=0,${f}`)), missIsDrop }, OURS, uplinks)
}

test('what its flows drop for certain', (t) => {
  t.is(drops([], true), 'all')
  t.is(drops([], true, []), 'all', 'also without an uplink')
  t.is(drops(['priority=9,actions=drop', 'priority=0,actions=NORMAL'], true), 'all')
  t.is(drops(['priority=9,actions=drop'], false), 'all', 'no controller is asked for what a flow matches')
  t.is(drops(['priority=9,ip,actions=drop', 'priority=8,arp,actions=drop'], true), 'all')
  t.is(drops(['priority=9,in_port=5,actions=drop', 'priority=0,actions=NORMAL'], true), 'ours')
  t.is(drops(['priority=9,in_port=1,actions=drop', 'priority=9,in_port=2,actions=drop', 'priority=0,actions=NORMAL'], true), 'theirs')
  t.is(drops(['priority=9,in_port=1,actions=output:2'], true), 'ours', 'what a frame of ours meets is no flow')
})

test('what cannot be known of any pipeline of others is not said', (t) => {
  t.is(drops([], false), undefined, 'a controller may have what no flow matches')
  t.is(drops(['priority=0,actions=NORMAL'], true), undefined)
  t.is(drops(['priority=9,ip,actions=drop', 'priority=0,actions=goto_table:7'], true), undefined)
  t.is(drops(['priority=9,actions=drop', 'priority=9,arp,actions=NORMAL'], true), undefined, 'equal priorities: either')
  t.is(drops(['priority=9,actions=drop', 'priority=10,arp,actions=NORMAL'], true), undefined)
  t.is(drops(['priority=9,in_port=1,actions=drop', 'priority=0,actions=NORMAL'], true), undefined, 'the other uplink brings something')
})

const UP = { name: 'eth1' }
const DOWN = { name: 'eth2', fault: { what: 'is set down', todo: 'ip link set eth2 up' } }

function fault(fact: ProviderFact): string {
  const found = providerFault('br-ex', fact)
  return found === undefined ? '' : `${found.state} ${found.what}: ${found.todo}`
}

test('what is told of a bridge: its flows first, then its uplinks', (t) => {
  t.is(providerFault('br-ex', undefined), undefined)
  t.is(fault({ uplinks: [UP] }), '')
  t.is(fault({ uplinks: [UP, DOWN] }), '', 'one of two works')
  t.is(fault({ uplinks: [DOWN] }), 'ERROR is cut off: its uplink eth2 is set down: ip link set eth2 up')
  t.is(
    fault({ uplinks: [DOWN, { ...DOWN, name: 'eth3' }] }),
    'ERROR is cut off: none of its uplinks works (eth2 and eth3): eth2 is set down: ip link set eth2 up',
  )
  t.regex(fault({ uplinks: [DOWN], drops: 'all' }), /^ERROR forwards nothing/)
  t.regex(fault({ uplinks: [UP, DOWN], drops: 'theirs' }), /^ERROR drops every frame that comes in by eth1 and eth2, by its flows/)
  t.regex(fault({ uplinks: [] }), /^WAITING has no uplink: .*netloom-uplink none$/)
  t.is(fault({ uplinks: [], alone: true }), '')
})
