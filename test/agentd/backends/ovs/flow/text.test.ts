import test from 'ava'
import { FlowError } from '../../../../../agentd/backends/ovs/flow/error.ts'
import { flowKey, formatFlow } from '../../../../../agentd/backends/ovs/flow/format.ts'
import { makeFlow, setField, subfield } from '../../../../../agentd/backends/ovs/flow/make.ts'
import { parseFlow } from '../../../../../agentd/backends/ovs/flow/parse.ts'

test('a flow is written as dump-flows writes it, and read back to an equal value', (t) => {
  const flow = makeFlow({
    table: 7,
    priority: 100,
    cookie: 0x4e1n,
    idle_timeout: 300,
    flags: ['send_flow_rem'],
    match: {
      ip_dst: '10.0.0.0/24',
      eth_type: 0x800,
      ip_proto: 6,
      tcp_dst: 80,
      reg0: { value: 5n, mask: 0xfn },
      in_port: 3,
      vlan_vid: 0x1005,
      ct_state: '+trk-new',
    },
    actions: [
      ...setField('eth_src', '00:00:00:00:00:01'),
      { kind: 'load', dst: subfield('reg1', 0, 15), value: 0n },
      { kind: 'ct', commit: true, zone: subfield('reg6', 0, 15), exec: setField('ct_mark', 1) },
      { kind: 'output', port: 0xfff8 },
      { kind: 'goto_table', table: 9 },
    ],
  })
  const text =
    'cookie=0x4e1, table=7, idle_timeout=300, send_flow_rem priority=100,ct_state=-new+trk,tcp,reg0=0x5/0xf,in_port=3,dl_vlan=5,' +
    'nw_dst=10.0.0.0/24,tp_dst=80 actions=set_field:00:00:00:00:00:01->eth_src,load:0->NXM_NX_REG1[0..15],' +
    'ct(commit,zone=NXM_NX_REG6[0..15],exec(set_field:0x1->ct_mark)),IN_PORT,goto_table:9'
  t.is(formatFlow(flow), text)
  t.deepEqual(parseFlow(text), flow)
  t.is(flowKey(flow), 'table=7, priority=100,ct_state=-new+trk,tcp,reg0=0x5/0xf,in_port=3,dl_vlan=5,nw_dst=10.0.0.0/24,tp_dst=80')
})

test('counters are left aside, old names and spellings read as the new ones', (t) => {
  const text =
    ' cookie=0x0, duration=5.1s, table=1, n_packets=3, n_bytes=180, idle_age=2, priority=5,arp,nw_dst=10.0.0.1 actions=strip_vlan,set_tunnel:0x5,mod_dl_dst:00:00:00:00:00:02,output:4'
  t.is(
    formatFlow(parseFlow(text)),
    'cookie=0x0, table=1, priority=5,arp,arp_tpa=10.0.0.1 actions=pop_vlan,set_field:0x5->tun_id,set_field:00:00:00:00:00:02->eth_dst,output:4',
  )
})

for (const [text, code, quoted] of [
  ['ip,frobnicate=3 actions=drop', 'unknown-match', 'frobnicate=3'],
  ['ip,frobnicate actions=drop', 'unknown-match', 'frobnicate'],
  ['ip actions=frobnicate(3),output:1', 'unknown-action', 'frobnicate(3)'],
  ['ip actions=ct(commit,frobnicate=3)', 'unknown-action', 'frobnicate=3'],
  ['ip actions=learn(table=1,frobnicate=3)', 'unknown-action', 'frobnicate'],
  ['ip actions=output:tap1', 'bad-value', 'tap1'],
  ['ip,nw_dst=10.0.0.300 actions=drop', 'bad-value', '10.0.0.300'],
  ['ip,reg0=0x1ffffffff actions=drop', 'bad-value', '0x1ffffffff'],
  ['ip actions=load:0x10->reg0[0..3]', 'bad-value', '0x10'],
  ['ip actions=ct(commit', 'bad-syntax', 'ct(commit'],
  ['tp_dst=5 actions=drop', 'bad-syntax', 'tp_dst'],
  ['priority=5,ip', 'bad-syntax', 'priority=5,ip'],
] as const) {
  test(`"${text}" is refused as ${code}`, (t) => {
    const error = t.throws(() => parseFlow(text), { instanceOf: FlowError })
    t.is(error?.code, code)
    t.true(error?.message.includes(quoted), error?.message)
  })
}
