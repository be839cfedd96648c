import test from 'ava'
import type { NetworkSpec } from '../../src/kinds/network/spec.ts'
import { makeKey } from '../../src/model/key.ts'
import type { World } from '../../src/server/engine/types.ts'
import { engine, write } from '../support/world.ts'

const RANGES = `network_segment_ranges:
  shop: { network_type: vxlan, minimum: 100, maximum: 101, project: shop }
  all: { network_type: vxlan, minimum: 200, maximum: 299 }
`

/** The world that these documents together come to from another one, as a repository would. */
function step(base: World, ...yaml: readonly string[]): World {
  const set = yaml.flatMap((text) => write(text).declared)
  const keep = new Set(set.map((d) => d.key))
  return engine.step(base, { set, del: [...base.declared.keys()].filter((key) => !keep.has(key)) }, { now: 0 }).world
}

function idOf(world: World, project: string, name: string): number | undefined {
  return (world.resources.get(makeKey('network', project, name))?.spec as NetworkSpec | undefined)?.segmentation_id
}

const within = (id: number | undefined, from: number, to: number): boolean => id !== undefined && id >= from && id <= to

test('each project gets from its own range, others from what is shared', (t) => {
  const world = step(
    engine.empty(),
    RANGES,
    'project: shop\nnetworks: { a: {}, b: {}, c: {} }\n',
    'project: lab\nnetworks: { a: {}, b: {} }\n',
  )
  const shop = ['a', 'b', 'c'].map((name) => idOf(world, 'shop', name))
  t.is(shop.filter((id) => within(id, 100, 101)).length, 2)
  t.is(shop.filter((id) => within(id, 200, 299)).length, 1, 'its own is full: shared ones are next')
  for (const name of ['a', 'b']) t.true(within(idOf(world, 'lab', name), 200, 299))
})

test('numbers in use stay when ranges come, change and go', (t) => {
  const networks = 'project: shop\nnetworks: { a: {}, b: {} }\n'
  const first = step(engine.empty(), RANGES, networks)
  const ids = ['a', 'b'].map((name) => idOf(first, 'shop', name))
  for (const ranges of [
    'network_segment_ranges: { shop: { network_type: vxlan, minimum: 5000, maximum: 5999, project: shop } }\n',
    'network_segment_ranges: { lab: { network_type: vxlan, minimum: 100, maximum: 101, project: lab } }\n',
    'networks: {}\n',
  ]) {
    const next = step(first, ranges, networks)
    t.is(next.findings.size, 0)
    t.deepEqual(
      ['a', 'b'].map((name) => idOf(next, 'shop', name)),
      ids,
      ranges,
    )
  }
})

test('a new network follows the ranges of now', (t) => {
  const before = step(engine.empty(), 'project: shop\nnetworks: { a: {} }\n')
  const after = step(before, RANGES, 'project: shop\nnetworks: { a: {}, b: {} }\n')
  t.is(idOf(after, 'shop', 'a'), idOf(before, 'shop', 'a'))
  t.true(within(idOf(after, 'shop', 'b'), 100, 101))
})

test('what waits for a number gets it when a range is written', (t) => {
  const site = 'site: { vni_ranges: [{ from: 1, to: 1 }] }\n'
  const networks = 'project: shop\nnetworks: { a: {}, b: {} }\n'
  const full = step(engine.empty(), site, networks)
  t.is(full.findings.size, 1)
  const more = step(full, site, RANGES, networks)
  t.is(more.findings.size, 0)
  const rebuilt = engine.rebuild([...more.declared.values()], more.allocations, { now: 0 })
  for (const name of ['a', 'b']) t.is(idOf(rebuilt, 'shop', name), idOf(more, 'shop', name), 'and keeps it after a restart')
})
