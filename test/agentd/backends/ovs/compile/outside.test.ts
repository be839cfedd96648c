import test from 'ava'
import type { Compiled, Facts } from '../../../../../agentd/backends/backend.ts'
import { compileCase } from './cases.ts'

/** What is said of a host and by its list of drift, one line each. */
function said(name: string, more: Partial<Facts>): readonly string[] {
  const { verdicts, outside = [] }: Compiled = compileCase(name, more)
  return [...[...verdicts].map(([key, v]) => `${key} ${v.state} ${v.cause}`).sort(), ...outside.map((f) => `${f.where} ${f.text}`)]
}

const CUT = { name: 'eth1', fault: { what: 'has no link', todo: 'ip link show eth1' } }

test('ports of a physical network, the host and the list of drift say why nothing passes its bridge', (t) => {
  t.deepEqual(said('vlan-and-flat', { providers: { 'br-ex': { uplinks: [{ name: 'eth1' }] } } }), [])
  const why = 'is cut off: its uplink eth1 has no link: ip link show eth1'
  t.deepEqual(said('vlan-and-flat', { providers: { 'br-ex': { uplinks: [CUT] } } }), [
    `host/h1 ERROR bridge br-ex of physical network physnet1 ${why}`,
    `port/default/a ERROR bridge br-ex of physical network physnet1 ${why}`,
    `port/default/c ERROR bridge br-ex of physical network physnet1 ${why}`,
    `Bridge br-ex ${why}`,
  ])
})

test('a bridge that carries nothing of ours may be as it likes', (t) => {
  t.deepEqual(said('vxlan-two-hosts', { providers: { 'br-ex': { uplinks: [], drops: 'all' } } }), [])
})

test('one whose flows nobody can read is only listed', (t) => {
  t.deepEqual(said('vlan-and-flat', { providers: { 'br-ex': { uplinks: [{ name: 'eth1' }], unread: 'it speaks only OpenFlow10' } } }), [
    'Bridge br-ex it speaks only OpenFlow10, so nobody sees whether its flows pass frames on',
  ])
})

test('a tunnel address that the host has not is told with its host, its tunnels and the command', (t) => {
  t.deepEqual(said('vxlan-two-hosts', { addresses: { '192.0.2.1': 'lo' } }), [])
  t.deepEqual(said('vxlan-two-hosts', { addresses: {} }), [
    'host/h1 ERROR tunnel_ip 192.0.2.1 is on no interface of h1 that is up, and vxlan tunnels carry nothing: ip address add 192.0.2.1/24 dev <bridge or NIC>, or, on one that has it, ip link set <bridge or NIC> up',
    'address 192.0.2.1 is on no interface that is up: vxlan tunnels carry nothing',
  ])
})
