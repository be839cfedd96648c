import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { PMap } from '../../../src/lib/pmap.ts'
import type { JsonObject } from '../../../src/model/brand.ts'
import { DEFAULT_PROJECT, type Key, makeKey } from '../../../src/model/key.ts'
import type { Declared } from '../../../src/model/resource.ts'
import { createEngine } from '../../../src/server/engine/engine.ts'
import type { DeclaredOps, World } from '../../../src/server/engine/types.ts'
import { computePlan, isEmptyPlan } from '../../../src/server/plan/plan.ts'
import type { Plan } from '../../../src/server/plan/types.ts'
import { renderPlan } from '../../../src/server/render/plan.ts'
import { openStore } from '../../../src/server/store/open.ts'
import { kinds } from '../../support/kinds.ts'
import { withImplied } from '../../support/world.ts'
import { golden } from '../render/golden.ts'
import { GUARDS } from './worlds.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const engine = createEngine(kinds)

function declare(kind: string, name: string, spec: JsonObject): Declared {
  const definition = kinds.find((k) => k.kind === kind)
  const project = definition?.scope === 'global' ? '' : DEFAULT_PROJECT
  return { key: makeKey(kind, project, name), kind, project, name, spec: definition?.normalise(spec).spec ?? spec }
}

const HOSTS = ['h1', 'h2', 'h3'].map((name, i) => declare('host', name, { tunnel_ip: `192.0.2.${i + 1}` }))
const SHOP = withImplied([
  ...HOSTS,
  declare('network', 'blue', {}),
  declare('subnet', 'blue-v4', { network: 'blue', cidr: '10.10.0.0/24' }),
  declare('port', 'web-1', { network: 'blue', host: 'h1', fixed_ips: [{ ip_address: '10.10.0.11' }] }),
  declare('port', 'web-2', { network: 'blue', host: 'h2' }),
])

function planFrom(base: World, baseRevision: number, ops: DeclaredOps): { readonly plan: Plan; readonly world: World } {
  const step = engine.step(base, ops, { now: NOW })
  const plan = computePlan({
    base,
    baseRevision,
    registry: 'ml2 (test)',
    ops,
    step,
    footprint: engine.footprint,
    kinds,
    places: () => undefined,
    guards: GUARDS,
  })
  return { plan, world: step.world }
}

test('from declarations to a plan, a revision, and the same world again out of the state file', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'netloom-journey-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const store = await openStore(join(directory, 'state.db'), { access: 'write', clock: () => NOW })
  const commit = (plan: Plan): Promise<unknown> => store.commit(plan, { places: new Map(), now: NOW })

  const first = planFrom(engine.empty(), 0, { set: SHOP, del: [] })
  golden(t, 'journey-1-first.txt', renderPlan(first.plan))
  await commit(first.plan)

  // A restart: only what the state file says.
  const loaded = await store.snapshot(async (moment) => {
    const declared: Declared[] = []
    for await (const page of moment.resources()) declared.push(...page.map((row) => row.declared))
    return engine.rebuild(declared, await moment.allocations(), { now: NOW })
  })
  t.deepEqual(sorted(loaded.resources), sorted(first.world.resources))
  t.deepEqual(sorted(loaded.allocations.held), sorted(first.world.allocations.held))
  const again = planFrom(loaded, 1, { set: SHOP, del: [] }).plan
  t.true(isEmptyPlan(again))
  t.is(renderPlan(again), 'No changes. The repo is what revision 1 says.\n')

  // The MTU of the network moves its ports; one port moves to another host; one is new; one goes.
  const second = planFrom(loaded, 1, {
    set: [
      declare('network', 'blue', { mtu: 1400 }),
      declare('port', 'web-2', { network: 'blue', host: 'h3' }),
      declare('port', 'web-3', { network: 'blue', host: 'h3' }),
    ],
    del: [makeKey('port', DEFAULT_PROJECT, 'web-1')],
  })
  golden(t, 'journey-2-edit.txt', renderPlan(second.plan))
  await commit(second.plan)

  // And back: what was chosen is chosen again.
  const third = planFrom(second.world, 2, { set: SHOP, del: [makeKey('port', DEFAULT_PROJECT, 'web-3')] })
  golden(t, 'journey-3-back.txt', renderPlan(third.plan))
  await commit(third.plan)
  t.deepEqual(sorted(third.world.resources), sorted(first.world.resources))
  const final = await store.snapshot(async (moment) => {
    const rows = []
    for await (const page of moment.resources()) rows.push(...page)
    return { resources: rows.map((r) => [r.resource.key, r.resource]), held: (await moment.allocations()).held }
  })
  t.deepEqual(final.resources, sorted(third.world.resources))
  t.deepEqual(sorted(final.held), sorted(third.world.allocations.held))
  t.deepEqual(await store.integrity(), [])
  await store.close()
})

test('lost state: agents’ old addresses hold the new plan back', (t) => {
  const before = planFrom(engine.empty(), 0, { set: SHOP, del: [] }).world
  const web = makeKey('port', DEFAULT_PROJECT, 'web-2')
  const held = (before.allocations.byOwner.get(web) ?? []).flatMap((id) => before.allocations.held.get(id) ?? [])
  const step = engine.step(engine.empty(), { set: SHOP, del: [] }, { now: NOW })
  const input = {
    base: engine.empty(),
    baseRevision: 0,
    registry: 'ml2 (test)',
    ops: { set: SHOP, del: [] },
    step,
    footprint: engine.footprint,
    kinds,
    places: () => undefined,
    guards: GUARDS,
  }
  t.deepEqual(computePlan({ ...input, reported: (key: Key) => (key === web ? held : []) }).blocked, [])
  const moved = held.map((h) => (h.pool.startsWith('ip') ? { ...h, value: '10.10.0.200' } : h))
  t.deepEqual(
    computePlan({ ...input, reported: (key: Key) => (key === web ? moved : []) }).blocked.map((v) => [v.guard, v.override]),
    [['renumber', '--allow renumber=1']],
  )
})

function sorted<K extends string, V>(map: PMap<K, V>): readonly (readonly [K, V])[] {
  return [...map.entries()].sort(([a], [b]) => (a < b ? -1 : 1))
}
