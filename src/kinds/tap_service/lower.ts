import { hostsOf, type TapIntent } from '../../model/intent.ts'
import type { Resource } from '../../model/resource.ts'
import { FABRIC, intentKey, tapScope } from '../../model/scope.ts'
import type { Lowered, View } from '../kind.ts'
import type { PortSpec } from '../port/spec.ts'
import type { TapServiceSpec } from './spec.ts'

/** Where copies go, for the port's host and for those that make them. */
export function lowerTapService({ key, spec }: Resource<TapServiceSpec>, view: View): Lowered {
  const port = view.need<PortSpec>(view.ref('port', spec.port))
  const { network_type: type, segmentation_id: id } = spec
  const hosts = hostsOf(port.spec)
  const scope = tapScope(key)
  const intent: TapIntent = {
    hosts,
    port: port.key,
    tap: key,
    ...(type === undefined || id === undefined ? {} : { tunnel: { key: id, type } }),
    type: 'tap',
  }
  return {
    intents: [{ scope, key: intentKey('tap', key), intent }],
    needs: hosts.flatMap((host) => [scope, FABRIC].map((needed) => ({ host, scope: needed }))),
  }
}
