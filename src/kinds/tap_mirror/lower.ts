import { hostsOf, type TapMirrorIntent } from '../../model/intent.ts'
import type { Resource } from '../../model/resource.ts'
import { FABRIC, hostScope, intentKey } from '../../model/scope.ts'
import type { Lowered, View } from '../kind.ts'
import type { PortSpec } from '../port/spec.ts'
import type { TapMirrorSpec } from './spec.ts'

/** The port's host sends the copies. */
export function lowerTapMirror({ key, spec }: Resource<TapMirrorSpec>, view: View): Lowered {
  const port = view.need<PortSpec>(view.ref('port', spec.port))
  const { IN = spec.directions.BOTH, OUT = spec.directions.BOTH } = spec.directions
  const intent: TapMirrorIntent = {
    ...(IN === undefined ? {} : { in: IN }),
    mirror: key,
    mirror_type: spec.mirror_type,
    ...(OUT === undefined ? {} : { out: OUT }),
    port: port.key,
    remote_ip: spec.remote_ip,
    type: 'tap_mirror',
  }
  const hosts = hostsOf(port.spec)
  return {
    intents: hosts.map((h) => ({ scope: hostScope(h), key: intentKey('tap_mirror', key), intent })),
    needs: hosts.flatMap((host) => [hostScope(host), FABRIC].map((scope) => ({ host, scope }))),
  }
}
