import test from 'ava'
import type { Item } from '../../../../../agentd/backends/backend.ts'
import { flowItem, goto } from '../../../../../agentd/backends/ovs/compile/build.ts'
import { filterRegisters } from '../../../../../agentd/backends/ovs/compile/filter.ts'
import { inTwo } from '../../../../../agentd/backends/ovs/driver/retire.ts'
import type { Action } from '../../../../../agentd/backends/ovs/flow/types.ts'

/** A port's flow that puts what comes to it under a set of rules. */
function gives(port: number, rules: number): Item {
  const actions = [...filterRegisters({ rules, zone: 5 }), goto('ingress_kind')]
  return flowItem({ table: 'ingress', priority: 50, cookie: 1n, owners: [], registers: { target: port }, actions })
}
const none = (port: number): Item =>
  flowItem({ table: 'ingress', priority: 50, cookie: 1n, owners: [], registers: { target: port }, actions: [goto('ingress_kind')] })
const accept = [goto('ingress_accept')]
const tcp = (port: bigint) => ({ eth_type: { value: 0x800n }, ip_proto: { value: 6n }, tcp_dst: { value: port } })
const conj = (id: number, clause: number): Action => ({ kind: 'conjunction', id, clause, clauses: 2 })

const direct = (rules: number): Item =>
  flowItem({ table: 'ingress_rules', priority: 60, cookie: 2n, owners: [], registers: { rules }, match: tcp(22n), actions: accept })
const clause = (rules: number, id: number): Item =>
  flowItem({ table: 'ingress_rules', priority: 50, cookie: 2n, owners: [], registers: { rules }, match: tcp(80n), actions: [conj(id, 2)] })
const both = (id: number): Item =>
  flowItem({ table: 'ingress_rules', priority: 50, cookie: 2n, owners: [], match: { conj_id: { value: BigInt(id) } }, actions: accept })
const member = (ip: bigint, ...ids: readonly number[]): Item =>
  flowItem({
    table: 'ingress_rules',
    priority: 50,
    cookie: 3n,
    owners: [],
    match: { eth_type: { value: 0x800n }, ip_src: { value: ip } },
    actions: ids.map((id) => conj(id, 1)),
  })

const texts = (items: readonly Item[]): string[] => items.map((i) => i.text)
const afters = (changes: readonly { readonly after: Item }[]): string[] => changes.map((c) => c.after.text)

test('a set of rules that its last port leaves stands as it was until the datapath has followed; members of it are members until then', (t) => {
  const held = [gives(7, 1), direct(1), clause(1, 11), both(11), member(1n, 11, 12), member(2n, 11), direct(2), clause(2, 12), both(12)]
  const changes = [
    { before: gives(7, 1), after: gives(7, 2) },
    { before: member(1n, 11, 12), after: member(1n, 12, 13) },
  ]
  const gone = [direct(1), clause(1, 11), both(11), member(2n, 11), both(12)]
  const { first, later } = inTwo({ changes, gone }, () => held)
  t.deepEqual(afters(first.changes), texts([gives(7, 2), member(1n, 11, 12, 13), member(2n, 11)]))
  t.deepEqual(texts(first.gone), texts([both(12)]), 'what goes of a set that stays goes at once')
  t.deepEqual(afters(later?.changes ?? []), texts([member(1n, 12, 13)]))
  t.deepEqual(texts(later?.gone ?? []), texts([direct(1), clause(1, 11), both(11), member(2n, 11)]))
})

test('everything is one step where another port is under the former set, where the port is gone with it, and where no port moved', (t) => {
  const gone = [direct(1)]
  const moved = { changes: [{ before: gives(7, 1), after: gives(7, 2) }], gone }
  for (const held of [[gives(7, 1), gives(8, 1)], [gives(7, 1)]]) {
    const { first, later } = inTwo(moved, () => held)
    t.is(later === undefined, held.length === 2)
    t.is(first.gone.length, held.length === 2 ? 1 : 0)
  }
  for (const all of [
    { changes: [], gone: [gives(7, 1), ...gone] },
    { changes: [{ after: gives(9, 1) }], gone },
    { changes: [{ before: gives(7, 1), after: gives(7, 1) }], gone },
    { changes: [{ before: none(7), after: gives(7, 2) }], gone },
  ])
    t.deepEqual(
      inTwo(all, () => [gives(7, 1), direct(1)]),
      { first: all },
    )
})

test('a port that is under no rules any more leaves them in the same way', (t) => {
  const { first, later } = inTwo({ changes: [{ before: gives(7, 1), after: none(7) }], gone: [direct(1)] }, () => [gives(7, 1), direct(1)])
  t.deepEqual([texts(first.gone), texts(later?.gone ?? [])], [[], texts([direct(1)])])
})
