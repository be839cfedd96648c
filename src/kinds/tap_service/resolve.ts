import type { TapServiceDeclared } from '../../../schemas/tap_service.ts'
import type { Declared } from '../../model/resource.ts'
import type { Pools, Resolved, View } from '../kind.ts'
import { chooseTunnel } from '../network/segment.ts'
import type { TypeDrivers } from '../network/type-driver.ts'
import type { TapServiceSpec } from './spec.ts'

/** The number under which copies travel is of the same pool as those of networks, so that it is never one of theirs. */
export function resolveTapService(resource: Declared, types: TypeDrivers, view: View, pools: Pools): Resolved<TapServiceSpec> {
  const { port, description = '' } = resource.spec as TapServiceDeclared
  const tunnel = chooseTunnel(resource, types, view, pools)
  if (tunnel === undefined) return { spec: { port, description }, findings: [] }
  if (!tunnel.ok) return { spec: { port, description }, findings: [tunnel.finding] }
  const { type, key } = tunnel
  return { spec: { port, network_type: type, segmentation_id: key, description }, findings: [] }
}
