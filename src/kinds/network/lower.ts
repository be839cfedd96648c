import type { Resource } from '../../model/resource.ts'
import { intentKey, networkScope } from '../../model/scope.ts'
import type { Lowered, Site } from '../kind.ts'
import { type NetworkSpec, type Segment, segmentsOf, segmentText } from './spec.ts'
import type { TypeDrivers } from './type-driver.ts'

/** An intent for each segment; which hosts need the network is for the ports to say. */
export function lowerNetwork(resource: Resource<NetworkSpec>, types: TypeDrivers, site: Site): Lowered {
  return { intents: segmentsOf(resource.spec).map((segment) => lowerSegment(resource, segment, types, site)), needs: [] }
}

function lowerSegment({ key, spec }: Resource<NetworkSpec>, segment: Segment, types: TypeDrivers, site: Site): Lowered['intents'][number] {
  const several = spec.segments !== undefined
  const name = segmentText(segment)
  const { network_type: type, physical_network, segmentation_id } = segment
  const snooped = spec.igmp_snooping_enable ?? site.igmp_snooping_enable
  return {
    scope: networkScope(key),
    key: intentKey('segment', several ? `${key} ${name}` : key),
    intent: {
      type: 'segment',
      network: key,
      ...(several ? { segment: name } : {}),
      network_type: types.get(type)?.carriage ?? 'local',
      ...(physical_network === undefined ? {} : { physical_network }),
      ...(segmentation_id === undefined ? {} : { segmentation_id }),
      mtu: spec.mtu,
      admin_state_up: spec.admin_state_up,
      ...(snooped ? { igmp_snooping: { querier: site.igmp_querier, query_interval: site.igmp_query_interval } } : {}),
    },
  }
}
