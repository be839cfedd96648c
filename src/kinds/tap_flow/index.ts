import { tapFlowSchema } from '../../../schemas/tap_flow.ts'
import type { KindDefinition } from '../kind.ts'
import type { TypeDrivers } from '../network/type-driver.ts'
import { checkTapFlow, tapFlowReferences } from './check.ts'
import { lowerTapFlow } from './lower.ts'
import { resolveTapFlow } from './resolve.ts'
import type { TapFlowSpec } from './spec.ts'

/** The kind, with the types that copies may travel by. */
export function createTapFlow(types: TypeDrivers): KindDefinition<TapFlowSpec> {
  return {
    kind: 'tap_flow',
    collection: 'tap_flows',
    scope: 'project',
    summary: 'A port of whose frames a tap service gets copies.',
    schema: tapFlowSchema,
    after: ['tap_service', 'port', 'network', 'host', 'site'],
    mutability: { tap_service: 'in place', source_port: 'in place', direction: 'in place', description: 'in place' },
    normalise: (spec) => ({ spec, findings: [] }),
    references: tapFlowReferences,
    claims: () => false,
    check: (resource, view) => checkTapFlow(resource, view, types),
    resolve: resolveTapFlow,
    lower: lowerTapFlow,
  }
}
