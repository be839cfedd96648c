import type { NetworkSegmentRangeDeclared } from '../../../schemas/network_segment_range.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved } from '../kind.ts'
import type { NetworkSegmentRangeSpec } from './spec.ts'

export function resolveRange(resource: Declared): Resolved<NetworkSegmentRangeSpec> {
  const { network_type, physical_network, minimum, maximum, shared, project, description } = resource.spec as NetworkSegmentRangeDeclared
  const spec: NetworkSegmentRangeSpec = {
    network_type,
    ...(physical_network === undefined ? {} : { physical_network }),
    minimum,
    maximum,
    shared: shared ?? project === undefined,
    ...(project === undefined ? {} : { project }),
    description: description ?? '',
  }
  return { spec, findings: [] }
}
