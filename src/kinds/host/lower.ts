import type { Resource } from '../../model/resource.ts'
import { FABRIC, hostScope, intentKey } from '../../model/scope.ts'
import type { Lowered, View } from '../kind.ts'
import { type HostSpec, L2 } from './spec.ts'

/** The host's own scope tells it what it offers; the fabric tells everybody where its tunnels end. Without the role `l2` it offers nothing and has no tunnels. */
export function lowerHost(resource: Resource<HostSpec>, view: View): Lowered {
  const { name, spec } = resource
  const own = hostScope(name)
  const site = view.site()
  const l2 = spec.roles.includes(L2)
  const tunnel_ip = l2 ? spec.tunnel_ip : undefined
  const intents: Lowered['intents'][number][] = [
    {
      scope: own,
      key: intentKey('host', name),
      intent: {
        type: 'host',
        host: name,
        ...(tunnel_ip === undefined ? {} : { tunnel_ip }),
        bridge_mappings: l2 ? spec.bridge_mappings : {},
        installation: site.installation,
        drift: site.drift,
      },
    },
  ]
  if (tunnel_ip !== undefined) {
    intents.push({ scope: FABRIC, key: intentKey('endpoint', name), intent: { type: 'endpoint', host: name, tunnel_ip } })
  }
  return {
    intents,
    needs: [
      { host: name, scope: own },
      { host: name, scope: FABRIC },
    ],
  }
}
