import test from 'ava'
import { flowItem, goto, move, output, resubmit, set, setField } from '../../../../../agentd/backends/ovs/compile/build.ts'
import { cookieOf, cookieOfSet, isOurs } from '../../../../../agentd/backends/ovs/compile/cookie.ts'
import { patchPorts } from '../../../../../agentd/backends/ovs/compile/names.ts'
import { checkTables, TABLES, type Table, table } from '../../../../../agentd/backends/ovs/compile/pipeline.ts'
import { type Bits, checkRegisters, REGISTERS, registerMatch } from '../../../../../agentd/backends/ovs/compile/registers.ts'
import type { TableName } from '../../../../../agentd/backends/ovs/compile/tables.ts'
import { tell } from '../../../../../agentd/backends/ovs/compile/traps.ts'
import { makeKey } from '../../../../../src/model/key.ts'

const bits = (name: string, field: Bits['field'], start: number, width: number): Bits => ({ name, field, start, bits: width })

test('registers: no bit has two names, also through wider fields', (t) => {
  t.notThrows(() => checkRegisters(REGISTERS))
  t.throws(() => checkRegisters([bits('a', 'reg0', 0, 8), bits('b', 'reg0', 7, 2)]), { message: 'registers a and b overlap in reg0' })
  t.throws(() => checkRegisters([bits('a', 'xreg1', 0, 8), bits('b', 'reg2', 7, 2)]), { message: /overlap/ })
  t.throws(() => checkRegisters([bits('a', 'xxreg0', 0, 8), bits('b', 'xreg1', 0, 2)]), { message: /overlap/ })
  t.throws(() => checkRegisters([bits('a', 'reg0', 30, 3)]), { message: 'register a does not fit into reg0' })
  t.throws(() => checkRegisters([bits('a', 'reg0', 0, 1), bits('a', 'reg1', 0, 1)]), { message: 'register a is declared twice' })
  t.notThrows(() => checkRegisters([bits('a', 'reg0', 0, 8), bits('b', 'reg0', 8, 24), bits('c', 'xreg1', 0, 64)]))
})

test('registers: a value that does not fit is refused', (t) => {
  t.throws(() => registerMatch({ origin: 4 }), { message: 'register origin cannot hold 4' })
  t.throws(() => registerMatch({ target: { value: 1, mask: 0xf000_0000 } }), { message: /cannot hold/ })
  t.deepEqual(registerMatch({ origin: 1, nd_ask: 1 }), { reg0: { value: 5n, mask: 7n } })
  t.deepEqual(registerMatch({ target: 0 }), { reg2: { value: 0n } })
})

test('tables: numbers once, jumps forward', (t) => {
  const change = (name: TableName, part: Partial<Table>): Table[] => TABLES.map((x) => (x.name === name ? { ...x, ...part } : x))
  t.notThrows(() => checkTables(TABLES))
  t.throws(() => checkTables(change('l2', { number: 40 })), { message: 'two tables have the same number' })
  t.throws(() => checkTables(change('output', { jumps: ['classify'] })), { message: 'table output jumps backward to classify' })
  t.throws(() => checkTables(change('l2', { jumps: ['l2'] })), { message: 'table l2 jumps backward to l2' })
  t.throws(() => checkTables(change('l2', { number: 254 })), { message: 'table l2: 254 is no table number' })
})

test('tables: the numbers, which may never change their meaning', (t) => {
  t.deepEqual(
    TABLES.map((x) => `${x.number} ${x.name}`),
    [
      '0 classify',
      '5 sent',
      '15 guard',
      '16 guard_lladdr',
      '17 guard_claim',
      '18 guard_advert',
      '19 guard_owner',
      '20 egress',
      '21 egress_state',
      '22 egress_rules',
      '23 egress_accept',
      '24 egress_kept',
      '30 learn',
      '40 responder',
      '41 respond_arp',
      '42 respond_nd',
      '43 respond',
      '44 respond_nd_option',
      '45 advertise',
      '50 router',
      '51 router_own',
      '52 route',
      '53 neighbour',
      '54 router_answer',
      '55 router_fault',
      '56 router_back',
      '57 hops',
      '70 l2',
      '71 learned',
      '72 l2_unknown',
      '73 flood',
      '74 flood_unknown',
      '75 flood_part',
      '76 snoop',
      '77 snoop_copy',
      '78 snooping',
      '79 snooped',
      '80 ingress',
      '81 ingress_kind',
      '82 ingress_state',
      '90 ingress_rules',
      '91 ingress_accept',
      '92 ingress_kept',
      '110 output',
      '111 tunnel_key',
      '112 tunnel_peer',
      '120 limit',
      '121 limit_again',
      '125 copy',
      '126 copy_limit',
      '127 copy_limit_again',
    ],
  )
})

test('a flow that breaks a declaration is refused when it is built', (t) => {
  const base = { priority: 1, cookie: 0n, owners: [] }
  const says = (message: RegExp, spec: Omit<Parameters<typeof flowItem>[0], 'priority' | 'cookie' | 'owners'>): void => {
    t.throws(() => flowItem({ ...base, ...spec }), { message })
  }
  says(/guard_lladdr does not declare that it matches these bits of eth_dst/, {
    table: 'guard_lladdr',
    match: { eth_dst: { value: 1n } },
    actions: [],
  })
  says(/l2 does not declare that it matches these bits of reg0/, { table: 'l2', registers: { origin: 1 }, actions: [] })
  says(/l2 does not declare that it matches these bits of reg0/, { table: 'l2', match: { reg0: { value: 0n, mask: 0x100n } }, actions: [] })
  says(/l2 does not declare that it jumps to 112/, { table: 'l2', actions: [goto('tunnel_peer')] })
  says(/output does not declare that it jumps to 0/, { table: 'output', actions: [resubmit('classify')] })
  says(/l2 does not declare that it outputs/, { table: 'l2', actions: [output(1)] })
  says(/l2 does not declare that it sets these bits of reg0/, { table: 'l2', actions: [set('origin', 1)] })
  says(/l2 does not declare that it sets eth_src/, { table: 'l2', actions: [setField('eth_src', 1n)] })
  says(/l2 does not declare that it sets these bits of eth_src/, { table: 'l2', actions: [move('eth_dst', 'eth_src')] })
  says(/l2 does not declare that it sets vlan_tci/, { table: 'l2', actions: [{ kind: 'pop_vlan' }] })
  says(/l2 does not declare that it joins clauses/, { table: 'l2', actions: [{ kind: 'conjunction', id: 1, clause: 1, clauses: 2 }] })
  says(/l2 does not declare that it learns into 0/, { table: 'l2', actions: [{ kind: 'learn', table: 0, specs: [] }] })
  says(/l2 does not declare that it keeps connections/, { table: 'l2', actions: [{ kind: 'ct', commit: true }] })
  says(/egress does not declare that it jumps to 110/, { table: 'egress', actions: [{ kind: 'ct', table: 110 }] })
  says(/egress does not declare that it sets ct_mark/, {
    table: 'egress',
    actions: [{ kind: 'ct', commit: true, exec: [setField('ct_mark', 1n)] }],
  })
  says(/l2 does not declare that it tells the agent/, { table: 'l2', actions: [tell('snoop')] })
  t.notThrows(() => flowItem({ ...base, table: 'l2', registers: { network: 1 }, actions: [set('target', 5), goto('ingress')] }))
  t.is(table('l2').number, 70)
})

test('cookies: pinned to the identity, told apart from those of others', (t) => {
  const key = makeKey('port', 'default', 'web-1')
  t.is(cookieOf(key), 0x4e4c06e9c2b91839n)
  t.not(cookieOf(key), cookieOfSet(key))
  t.true(isOurs(cookieOf(key)))
  t.false(isOurs(0n))
  t.false(isOurs(0x4e4d_0000_0000_0000n))
})

test('patch ports: names that Linux takes, different for different bridges', (t) => {
  t.deepEqual(patchPorts('br-ex'), { int: 'nl-int-br-ex', ext: 'nl-ex-br-ex' })
  const long = ['br-provider-one', 'br-provider-two', 'br-provid'].map(patchPorts)
  for (const { int, ext } of long) t.true(int.length <= 15 && ext.length <= 15)
  t.is(new Set(long.map((p) => p.int)).size, 3)
})
