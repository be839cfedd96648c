import test from 'ava'
import { type Connection, isAllowed, type Judge, onlyGrew } from '../../../../../agentd/backends/ovs/compile/connections.ts'
import type { Policy } from '../../../../../agentd/backends/ovs/compile/policy.ts'
import { canBeEnded, connectionTuple, readConnections } from '../../../../../agentd/backends/ovs/driver/conntrack.ts'
import { canonicalJson } from '../../../../../src/lib/json.ts'
import type { GroupRule } from '../../../../../src/model/intent.ts'
import { type Key, makeKey } from '../../../../../src/model/key.ts'

/** As `ovs-appctl dpctl/dump-conntrack` of 3.1.0 prints them. */
const DUMP = `udp,orig=(src=10.10.0.22,dst=10.10.0.31,sport=34800,dport=7001),reply=(src=10.10.0.31,dst=10.10.0.22,sport=7001,dport=34800),zone=5
tcp,orig=(src=fd00:10::22,dst=fd00:10::31,sport=51516,dport=80),reply=(src=fd00:10::31,dst=fd00:10::22,sport=80,dport=51516),zone=7,mark=1,protoinfo=(state=ESTABLISHED)
icmp,orig=(src=10.10.0.22,dst=10.10.0.21,id=3099,type=8,code=0),reply=(src=10.10.0.21,dst=10.10.0.22,id=3099,type=0,code=0)
icmpv6,orig=(src=fd00:10::22,dst=fd00:10::31,id=3102,type=128,code=0),reply=(src=fd00:10::31,dst=fd00:10::22,id=3102,type=129,code=0),zone=65535
47,orig=(src=10.10.0.22,dst=10.10.0.21,sport=0,dport=0),reply=(src=10.10.0.21,dst=10.10.0.22,sport=0,dport=0),zone=5

what is no connection
`

test('a dump is read, and each connection is named as vswitchd takes it', (t) => {
  const all = readConnections(DUMP)
  t.deepEqual(
    all.map((c) => `${c.zone} ${connectionTuple(c)}`),
    [
      '5 ct_nw_src=10.10.0.22,ct_nw_dst=10.10.0.31,ct_nw_proto=17,ct_tp_src=34800,ct_tp_dst=7001',
      '7 ct_ipv6_src=fd00:10::22,ct_ipv6_dst=fd00:10::31,ct_nw_proto=6,ct_tp_src=51516,ct_tp_dst=80',
      '0 ct_nw_src=10.10.0.22,ct_nw_dst=10.10.0.21,ct_nw_proto=1,icmp_type=8,icmp_code=0,icmp_id=3099',
      '65535 ct_ipv6_src=fd00:10::22,ct_ipv6_dst=fd00:10::31,ct_nw_proto=58,icmp_type=128,icmp_code=0,icmp_id=3102',
      '5 ct_nw_src=10.10.0.22,ct_nw_dst=10.10.0.21,ct_nw_proto=47,ct_tp_src=0,ct_tp_dst=0',
    ],
  )
  t.deepEqual(all.map(canBeEnded), [true, true, true, false, true])
})

const GROUP = makeKey('security_group', 'default', 'g')

function judge(rules: readonly GroupRule[], members: readonly string[] = []): Judge {
  const policy: Policy = {
    name: 'g',
    groups: [GROUP],
    stateful: true,
    rules: rules.map((rule) => ({ rule, owner: GROUP, text: canonicalJson(rule) })),
  }
  const remotes = new Map([[GROUP, { key: GROUP, prefixes: members }]])
  return {
    zone: 5,
    port: 'port/default/p' as Key,
    network: 'network/default/n',
    own: ['10.0.0.5/32', 'fe80::1/128', '2001:db8::/64'],
    policy,
    remotes,
  }
}

function connection(src: string, dst: string, more: Partial<Connection> = {}): Connection {
  return { zone: 5, protocol: 6, src, dst, sport: 40_000, dport: 80, ...more }
}

test('a connection is judged by the rules of the side that began it', (t) => {
  const out = judge([{ direction: 'egress', ethertype: 'IPv4', protocol: 6, ports: { first: 80, last: 81 } }])
  t.true(isAllowed(out, connection('10.0.0.5', '10.0.0.9')))
  t.false(isAllowed(out, connection('10.0.0.5', '10.0.0.9', { dport: 82 })))
  t.false(isAllowed(out, connection('10.0.0.5', '10.0.0.9', { protocol: 17 })))
  t.false(isAllowed(out, connection('10.0.0.9', '10.0.0.5')), 'the other way round is not what the rule is about')
  t.false(isAllowed(out, connection('10.0.0.6', '10.0.0.9')), 'an address that is the port’s no more')
  t.false(isAllowed(out, connection('2001:db8::5', '2001:db8::9')), 'the other IP version')
  const members = judge([{ direction: 'ingress', ethertype: 'IPv4', remote: { group: GROUP } }], ['10.0.0.8/31'])
  t.true(isAllowed(members, connection('10.0.0.9', '10.0.0.5')))
  t.false(isAllowed(members, connection('10.0.0.10', '10.0.0.5')))
  t.true(isAllowed(members, connection('10.0.0.9', '224.0.0.251')), 'multicast comes in')
  const ping = judge([{ direction: 'ingress', ethertype: 'IPv6', protocol: 58, icmp: { type: 128, code: 0 } }])
  const echo = { protocol: 58, sport: 0, dport: 0 }
  t.true(isAllowed(ping, connection('2001:db9::1', '2001:db8::5', { ...echo, icmp: { type: 128, code: 0, id: 1 } })))
  t.false(isAllowed(ping, connection('2001:db9::1', '2001:db8::5', { ...echo, icmp: { type: 128, code: 1, id: 1 } })))
})

test('where nothing was taken away nothing is looked for', (t) => {
  const one: GroupRule = { direction: 'ingress', ethertype: 'IPv4', remote: { group: GROUP } }
  const two: GroupRule = { direction: 'ingress', ethertype: 'IPv4', protocol: 6 }
  t.true(onlyGrew(judge([one], ['10.0.0.8/32']), judge([two, one], ['10.0.0.8/32', '10.0.0.9/32'])))
  t.false(onlyGrew(judge([one, two]), judge([one])), 'a rule')
  t.false(onlyGrew(judge([one], ['10.0.0.8/32', '10.0.0.9/32']), judge([one], ['10.0.0.8/32'])), 'a member')
  t.false(onlyGrew(judge([one]), { ...judge([one]), own: ['10.0.0.5/32'] }), 'an address')
})
