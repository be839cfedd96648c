import { hostsOf, type TapFlowIntent } from '../../model/intent.ts'
import type { Resource } from '../../model/resource.ts'
import { FABRIC, intentKey, tapScope } from '../../model/scope.ts'
import { type Lowered, NOTHING, type View } from '../kind.ts'
import type { PortSpec } from '../port/spec.ts'
import type { TapFlowSpec } from './spec.ts'

/** The source's host makes the copies; that of the service's port learns from whom they come. */
export function lowerTapFlow({ key, spec }: Resource<TapFlowSpec>, view: View): Lowered {
  const port = view.need<PortSpec>(view.ref('port', spec.source_port))
  const tap = view.ref('tap_service', spec.tap_service)
  const hosts = hostsOf(port.spec)
  if (hosts.length === 0) return NOTHING
  const scope = tapScope(tap)
  const intent: TapFlowIntent = { direction: spec.direction, flow: key, hosts, port: port.key, tap, type: 'tap_flow' }
  return {
    intents: [{ scope, key: intentKey('tap_flow', key), intent }],
    needs: hosts.flatMap((host) => [scope, FABRIC].map((needed) => ({ host, scope: needed }))),
  }
}
