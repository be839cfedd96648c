import { networkSegmentRangeSchema } from '../../../schemas/network_segment_range.ts'
import { type KindDefinition, NOTHING } from '../kind.ts'
import type { TypeDrivers } from '../network/type-driver.ts'
import { enumOf } from '../schema.ts'
import { checkRange, normaliseRange, rangeReferences } from './check.ts'
import { resolveRange } from './resolve.ts'
import type { NetworkSegmentRangeSpec } from './spec.ts'

/** The kind, with the types that have numbers. */
export function createNetworkSegmentRange(types: TypeDrivers): KindDefinition<NetworkSegmentRangeSpec> {
  const numbered = [...types.values()].filter((d) => d.numbers !== undefined).map((d) => d.type)
  return {
    kind: 'network_segment_range',
    collection: 'network_segment_ranges',
    scope: 'global',
    summary: 'Numbers that networks get which write no segmentation_id: for one project, or for all.',
    schema: enumOf(networkSegmentRangeSchema, ['network_type'], numbered),
    after: ['site'],
    normalise: (spec) => normaliseRange(spec, types),
    references: rangeReferences,
    check: (resource, view) => checkRange(resource, view, types),
    resolve: resolveRange,
    lower: () => NOTHING,
  }
}
