import type { Resource } from '../../model/resource.ts'
import { intentKey, networkScope } from '../../model/scope.ts'
import type { Lowered } from '../kind.ts'
import { type NetworkSpec, type Segment, segmentsOf, segmentText } from './spec.ts'
import type { TypeDrivers } from './type-driver.ts'

/** An intent for each segment; which hosts need the network is for the ports to say. */
export function lowerNetwork(resource: Resource<NetworkSpec>, types: TypeDrivers): Lowered {
  const several = resource.spec.segments !== undefined
  return { intents: segmentsOf(resource.spec).map((segment) => lowerSegment(resource, segment, several, types)), needs: [] }
}

function lowerSegment(
  { key, spec }: Resource<NetworkSpec>,
  segment: Segment,
  several: boolean,
  types: TypeDrivers,
): Lowered['intents'][number] {
  const name = segmentText(segment)
  const { network_type: type, physical_network, segmentation_id } = segment
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
    },
  }
}
