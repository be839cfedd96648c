import test from 'ava'
import type { World } from '../../../src/server/engine/types.ts'
import { computePlan } from '../../../src/server/plan/plan.ts'
import { renderPlan } from '../../../src/server/render/plan.ts'
import { kinds } from '../../support/kinds.ts'
import { engine, write } from '../../support/world.ts'
import { golden } from '../render/golden.ts'
import { GUARDS } from './worlds.ts'

const text = (prefixlen: string): string => `
networks: { blue: {} }
address_scopes: { routed: { ip_version: 4 } }
subnetpools:
  campus: { prefixes: [10.64.0.0/16], default_prefixlen: 24, address_scope: routed, is_default: true }
subnets:
  blue-v4: { network: blue, use_default_subnetpool: true, ip_version: 4${prefixlen} }
`

function planFrom(
  base: World,
  baseRevision: number,
  yaml: string,
): { readonly world: World; readonly shown: string; readonly guards: readonly string[] } {
  const ops = { set: write(yaml).declared, del: [] }
  const step = engine.step(base, ops, { now: 0 })
  const footprint = engine.footprint
  const plan = computePlan({
    registry: 'ml2 (test)',
    base,
    baseRevision,
    ops,
    step,
    footprint,
    kinds,
    places: () => undefined,
    guards: GUARDS,
  })
  return { world: step.world, shown: renderPlan(plan), guards: plan.blocked.map((v) => v.guard) }
}

test('a plan says which block a subnet gets from its pool, and that another length is another subnet', (t) => {
  const first = planFrom(engine.empty(), 0, text(''))
  golden(t, 'subnetpool-1-first.txt', first.shown)
  const second = planFrom(first.world, 1, text(', prefixlen: 26'))
  golden(t, 'subnetpool-2-prefixlen.txt', second.shown)
  t.deepEqual(second.guards, ['renumber'], 'nobody wrote the block that comes instead')
  t.deepEqual(planFrom(first.world, 1, text('')).shown, 'No changes. The repo is what revision 1 says.\n')
})
