import type { TrunkDeclared } from '../../../schemas/trunk.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved, View } from '../kind.ts'
import type { NetworkSpec } from '../network/spec.ts'
import type { PortSpec } from '../port/spec.ts'
import { vlanOf } from './check.ts'
import type { Subport, TrunkSpec } from './spec.ts'

/** `check` has made sure that every subport has a VLAN id. */
export function resolveTrunk(resource: Declared, view: View): Resolved<TrunkSpec> {
  const { port, subports = [], admin_state_up = true, description = '' } = resource.spec as TrunkDeclared
  const resolved = subports.flatMap(({ port: name, segmentation_type = 'vlan', segmentation_id }): Subport[] => {
    const { network } = view.need<PortSpec>(view.ref('port', name)).spec
    const id = segmentation_type === 'inherit' ? vlanOf(view.need<NetworkSpec>(view.ref('network', network))) : segmentation_id
    return id === undefined ? [] : [{ port: name, segmentation_type, segmentation_id: id }]
  })
  const sorted = resolved.sort((a, b) => a.segmentation_id - b.segmentation_id)
  return { spec: { port, subports: sorted, admin_state_up, description }, findings: [] }
}
