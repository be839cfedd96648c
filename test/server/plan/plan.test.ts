import test from 'ava'
import fc from 'fast-check'
import type { Key } from '../../../src/model/key.ts'
import { computePlan, isEmptyPlan } from '../../../src/server/plan/plan.ts'
import { type Item, inputOf } from './worlds.ts'

const BLUE: Item = { key: 'network/default/blue', spec: {}, full: { mtu: 1450 }, scopes: ['net/default/blue'], needs: [] }
const WEB: Item = {
  key: 'port/default/web-1',
  spec: { network: 'blue', host: 'h1' },
  full: { mac_address: 'fa:16:3e:00:00:01', fixed_ips: [{ subnet: 'blue-v4', ip_address: '10.0.0.5' }], mtu: 1450 },
  reads: ['network/default/blue'],
  scopes: ['net/default/blue', 'host/h1'],
  needs: [
    ['h1', 'net/default/blue'],
    ['h1', 'host/h1'],
  ],
  holds: [
    { pool: 'mac:network/default/blue', value: 'fa:16:3e:00:00:01' },
    { pool: 'ip:subnet/default/blue-v4', value: '10.0.0.5' },
  ],
}
const FAR: Item = {
  key: 'port/default/far',
  spec: { host: 'h2' },
  scopes: ['host/h2'],
  needs: [
    ['h2', 'net/default/blue'],
    ['h2', 'host/h2'],
  ],
}

test('the same twice is no plan at all', (t) => {
  const plan = computePlan(inputOf([BLUE, WEB, FAR], [BLUE, WEB, FAR]))
  t.true(isEmptyPlan(plan))
  t.deepEqual(plan.changes, [])
  t.deepEqual(plan.ops, { set: [], del: [] })
  t.deepEqual(plan.allocations, { set: [], del: [] })
  t.deepEqual(plan.blocked, [])
})

test('a new port: chosen values are marked, and its hosts are those whose target changes', (t) => {
  const plan = computePlan(inputOf([BLUE, FAR], [BLUE, FAR, WEB]))
  const [change] = plan.changes
  t.is(plan.changes.length, 1)
  t.is(change?.action, 'create')
  t.is(change?.reason, 'written')
  t.deepEqual(change?.place, { file: 'nets/ports.yaml', line: 4, col: 3 })
  t.deepEqual(change?.hosts, ['h1', 'h2'], 'h2 has the network, and learns where the port lives')
  t.deepEqual(
    change?.attributes.map((a) => [a.path, a.after, a.allocated ?? false]),
    [
      ['fixed_ips[0].ip_address', '10.0.0.5', true],
      ['fixed_ips[0].subnet', 'blue-v4', false],
      ['host', 'h1', false],
      ['id', 'id-of-port/default/web-1', false],
      ['mac_address', 'fa:16:3e:00:00:01', true],
      ['mtu', 1450, false],
      ['network', 'blue', false],
    ],
  )
  t.deepEqual(
    plan.allocations.set.map((h) => [h.pool, h.value, h.owner, h.source]),
    [
      ['ip:subnet/default/blue-v4', '10.0.0.5', WEB.key, 'auto'],
      ['mac:network/default/blue', 'fa:16:3e:00:00:01', WEB.key, 'auto'],
    ],
  )
  t.deepEqual(
    plan.ops.set.map((d) => d.key),
    [WEB.key as Key],
  )
  t.regex(plan.id, /^p-[0-9a-f]{8}$/)
  t.deepEqual(plan.summary, { create: 1, update: 0, delete: 0, recreate: 0 })
})

test('what follows from another change says from which', (t) => {
  const blue = { ...BLUE, spec: { mtu: 1400 }, full: { mtu: 1400 } }
  const web = { ...WEB, full: { ...WEB.full, mtu: 1400 } }
  const plan = computePlan(inputOf([BLUE, WEB], [blue, web]))
  t.deepEqual(
    plan.changes.map((c) => [c.action, c.key, c.reason, c.unchanged]),
    [
      ['update', BLUE.key, 'written', 1],
      ['update', WEB.key, 'network blue: mtu', 5],
    ],
  )
  t.deepEqual(plan.changes[1]?.attributes, [{ path: 'mtu', before: 1450, after: 1400 }])
  t.deepEqual(
    plan.ops.set.map((d) => d.key),
    [BLUE.key as Key],
  )
})

test('a segment of the same number as the MTU is the one that was chosen', (t) => {
  const red: Item = {
    key: 'network/default/red',
    full: { mtu: 1450, segmentation_id: 1450 },
    holds: [{ pool: 'segment:vxlan', value: '1450' }],
  }
  const plan = computePlan(inputOf([], [red]))
  t.deepEqual(
    plan.changes[0]?.attributes.filter((a) => a.allocated).map((a) => a.path),
    ['segmentation_id'],
  )
})

test('deletions come first and dependents before what they need; the rest the other way round', (t) => {
  const sub: Item = { key: 'subnet/default/blue-v4' }
  const red: Item = { key: 'network/default/red' }
  const redPort: Item = { key: 'port/default/a' }
  const plan = computePlan(inputOf([BLUE, sub, WEB], [red, redPort, { key: 'host/h9' }, { key: 'subnet/default/r' }]))
  t.deepEqual(
    plan.changes.map((c) => `${c.action} ${c.key}`),
    [
      'delete port/default/web-1',
      'delete subnet/default/blue-v4',
      'delete network/default/blue',
      'create host/h9',
      'create network/default/red',
      'create subnet/default/r',
      'create port/default/a',
    ],
  )
  t.is(plan.changes[0]?.reason, 'removed from the repo')
  t.deepEqual(plan.changes[0]?.hosts, ['h1'])
  t.deepEqual(plan.allocations.del, ['ip:subnet/default/blue-v4|10.0.0.5', 'mac:network/default/blue|fa:16:3e:00:00:01'])
})

test('another network, or another id, is another port', (t) => {
  const moved = computePlan(inputOf([WEB], [{ ...WEB, spec: { network: 'red', host: 'h1' } }])).changes[0]
  t.is(moved?.action, 'recreate')
  t.deepEqual(moved?.attributes, [{ path: 'network', before: 'blue', after: 'red', forces: true }])
  const renamed = computePlan(inputOf([WEB], [{ ...WEB, id: 'mine' }])).changes[0]
  t.is(renamed?.action, 'recreate')
  t.deepEqual(renamed?.attributes, [{ path: 'id', before: 'id-of-port/default/web-1', after: 'mine', forces: true }])
})

test('written differently to the same effect: nothing to do but to remember it', (t) => {
  const plan = computePlan(inputOf([WEB], [{ ...WEB, spec: { ...WEB.spec, mtu: 1450 } }]))
  t.deepEqual(plan.changes, [])
  t.is(plan.ops.set.length, 1)
  t.false(isEmptyPlan(plan))
})

test('a port that moves concerns the host it leaves and the one it comes to', (t) => {
  const moved: Item = {
    ...WEB,
    spec: { network: 'blue', host: 'h2' },
    scopes: ['net/default/blue', 'host/h2'],
    needs: [
      ['h2', 'net/default/blue'],
      ['h2', 'host/h2'],
    ],
  }
  t.deepEqual(computePlan(inputOf([WEB], [moved])).changes[0]?.hosts, ['h1', 'h2'])
})

test('a change without any effect on a switch concerns no host', (t) => {
  const quiet: Item = { ...WEB, scopes: [] }
  t.deepEqual(computePlan(inputOf([quiet], [{ ...quiet, spec: { ...quiet.spec, description: 'x' } }])).changes[0]?.hosts, [])
})

test('a world with errors has no plan', (t) => {
  const input = inputOf([WEB], [WEB])
  const broken = {
    ...input,
    step: { ...input.step, world: { ...input.step.world, resources: input.step.world.resources.delete(WEB.key as Key) } },
  }
  t.throws(() => computePlan(broken), { message: /could not be resolved/ })
})

test('neither id nor order depend on the order in which anything was read', (t) => {
  const items: readonly Item[] = [
    BLUE,
    WEB,
    FAR,
    { key: 'subnet/default/s' },
    { key: 'host/h1' },
    { key: 'port/other/web-1', spec: { b: 1, a: 2 } },
  ]
  const expected = computePlan(inputOf([], items))
  fc.assert(
    fc.property(fc.shuffledSubarray([...items], { minLength: items.length }), (shuffled) => {
      const input = inputOf([], shuffled)
      const ops = { set: [...input.ops.set].reverse(), del: input.ops.del }
      t.deepEqual(computePlan({ ...input, ops }), expected)
    }),
  )
  const reordered = items.map((item) => (item.key === 'port/other/web-1' ? { ...item, spec: { a: 2, b: 1 } } : item))
  t.is(computePlan(inputOf([], reordered)).id, expected.id)
  t.not(computePlan({ ...inputOf([], items), baseRevision: 42 }).id, expected.id)
  t.not(computePlan({ ...inputOf([], items), registry: 'other plugins' }).id, expected.id)
})

test('there and back again, and any plan of a world with itself, is empty', (t) => {
  const item = fc.record({
    key: fc.constantFrom('port/default/a', 'port/default/b', 'network/default/n', 'host/h'),
    spec: fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.oneof(fc.integer(), fc.constant(null), fc.array(fc.record({ x: fc.integer() }))),
    ),
  })
  const world = fc.uniqueArray(item, { selector: (i) => i.key })
  fc.assert(
    fc.property(world, world, (before, after) => {
      t.true(isEmptyPlan(computePlan(inputOf(before, before))))
      const there = computePlan(inputOf(before, after)).changes
      const back = computePlan(inputOf(after, before)).changes
      const mirrored = { create: 'delete', delete: 'create', update: 'update', recreate: 'recreate' } as const
      t.deepEqual(there.map((c) => `${mirrored[c.action]} ${c.key}`).sort(), back.map((c) => `${c.action} ${c.key}`).sort())
    }),
  )
})
