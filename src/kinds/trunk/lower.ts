import { hostsOf, type TrunkIntent } from '../../model/intent.ts'
import type { Resource } from '../../model/resource.ts'
import { hostScope, intentKey } from '../../model/scope.ts'
import { type Lowered, NOTHING, type View } from '../kind.ts'
import type { PortSpec } from '../port/spec.ts'
import type { TrunkSpec } from './spec.ts'

/** The parent's host learns which of its ports come through the parent's interface. What else there is to a subport, it says itself. */
export function lowerTrunk({ key, spec }: Resource<TrunkSpec>, view: View): Lowered {
  const parent = view.need<PortSpec>(view.ref('port', spec.port))
  const hosts = hostsOf(parent.spec)
  if (hosts.length === 0) return NOTHING
  const intent: TrunkIntent = {
    admin_state_up: spec.admin_state_up,
    parent: parent.key,
    subports: spec.subports.map((s) => ({ port: view.ref('port', s.port), vlan_id: s.segmentation_id })),
    trunk: key,
    type: 'trunk',
  }
  return {
    intents: hosts.map((h) => ({ scope: hostScope(h), key: intentKey('trunk', key), intent })),
    needs: hosts.map((h) => ({ host: h, scope: hostScope(h) })),
  }
}
