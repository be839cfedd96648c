import fc from 'fast-check'
import { makeFlow } from '../../../../../agentd/backends/ovs/flow/make.ts'
import { FLOW_FLAGS, type Flow } from '../../../../../agentd/backends/ovs/flow/types.ts'
import { actionsOf } from './arbitrary-actions.ts'
import { KINDS, matchOf } from './arbitrary-match.ts'

/** Flows that OVS accepts. */
export function anyFlow(): fc.Arbitrary<Flow> {
  return fc.constantFrom(...KINDS).chain((kind) =>
    fc
      .record(
        {
          table: fc.integer({ min: 0, max: 150 }),
          priority: fc.integer({ min: 0, max: 65535 }),
          cookie: fc.bigInt(0n, (1n << 64n) - 2n),
          match: matchOf(kind),
          actions: actionsOf(kind),
          idle_timeout: fc.integer({ min: 100, max: 65535 }),
          hard_timeout: fc.integer({ min: 100, max: 65535 }),
          importance: fc.integer({ min: 0, max: 65535 }),
          flags: fc.subarray(FLOW_FLAGS.filter((f) => f !== 'check_overlap')),
        },
        { requiredKeys: ['table', 'priority', 'cookie', 'match', 'actions'] },
      )
      .map(makeFlow),
  )
}
