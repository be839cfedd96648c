import { tapServiceSchema } from '../../../schemas/tap_service.ts'
import type { KindDefinition } from '../kind.ts'
import type { TypeDrivers } from '../network/type-driver.ts'
import { checkTapService, tapServiceReferences } from './check.ts'
import { lowerTapService } from './lower.ts'
import { resolveTapService } from './resolve.ts'
import type { TapServiceSpec } from './spec.ts'

/** The kind, with the types that copies may travel by. */
export function createTapService(types: TypeDrivers): KindDefinition<TapServiceSpec> {
  return {
    kind: 'tap_service',
    collection: 'tap_services',
    scope: 'project',
    summary: 'A port that gets copies of what other ports send and receive.',
    schema: tapServiceSchema,
    after: ['port', 'network_segment_range', 'site'],
    mutability: { port: 'in place', description: 'in place' },
    normalise: (spec) => ({ spec, findings: [] }),
    references: tapServiceReferences,
    claims: () => false,
    check: checkTapService,
    resolve: (resource, view, pools) => resolveTapService(resource, types, view, pools),
    lower: lowerTapService,
  }
}
