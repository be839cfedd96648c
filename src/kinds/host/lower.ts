import type { Resource } from '../../model/resource.ts'
import { FABRIC, hostScope, intentKey } from '../../model/scope.ts'
import type { Lowered, View } from '../kind.ts'
import type { HostSpec } from './spec.ts'

/** The host's own scope tells it what it offers; the fabric tells everybody where its tunnels end. */
export function lowerHost(resource: Resource<HostSpec>, view: View): Lowered {
  const { name, spec } = resource
  const own = hostScope(name)
  const site = view.site()
  const tunnel = spec.tunnel_ip === undefined ? {} : { tunnel_ip: spec.tunnel_ip }
  const intents: Lowered['intents'][number][] = [
    {
      scope: own,
      key: intentKey('host', name),
      intent: {
        type: 'host',
        host: name,
        ...tunnel,
        bridge_mappings: spec.bridge_mappings,
        installation: site.installation,
        drift: site.drift,
      },
    },
  ]
  if (spec.tunnel_ip !== undefined) {
    intents.push({ scope: FABRIC, key: intentKey('endpoint', name), intent: { type: 'endpoint', host: name, tunnel_ip: spec.tunnel_ip } })
  }
  return {
    intents,
    needs: [
      { host: name, scope: own },
      { host: name, scope: FABRIC },
    ],
  }
}
