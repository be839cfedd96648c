import type { Resource } from '../../model/resource.ts'
import { intentKey, networkScope } from '../../model/scope.ts'
import type { Lowered } from '../kind.ts'
import type { NetworkSpec } from './spec.ts'
import type { TypeDrivers } from './type-driver.ts'

/** One segment per network; which hosts need it is for the ports to say. */
export function lowerNetwork(resource: Resource<NetworkSpec>, types: TypeDrivers): Lowered {
  const { key, spec } = resource
  return {
    intents: [
      {
        scope: networkScope(key),
        key: intentKey('segment', key),
        intent: {
          type: 'segment',
          network: key,
          network_type: types.get(spec.network_type)?.carriage ?? 'local',
          ...(spec.physical_network === undefined ? {} : { physical_network: spec.physical_network }),
          ...(spec.segmentation_id === undefined ? {} : { segmentation_id: spec.segmentation_id }),
          mtu: spec.mtu,
          admin_state_up: spec.admin_state_up,
        },
      },
    ],
    needs: [],
  }
}
