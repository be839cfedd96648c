import type { HostDeclared } from '../../../schemas/host.ts'
import type { Finding } from '../../model/issue.ts'
import { compareText } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import { takenFinding } from '../findings.ts'
import type { Pools, Resolved } from '../kind.ts'
import { uniquePool } from '../pools.ts'
import { DEFAULT_ROLES, DEFAULT_ZONE, type HostSpec } from './spec.ts'

export function resolveHost(resource: Declared, backends: readonly string[], pools: Pools): Resolved<HostSpec> {
  const host = resource.spec as HostDeclared
  const findings: Finding[] = []
  if (host.tunnel_ip !== undefined) {
    const claim = pools.claim(uniquePool('tunnel_ip'), host.tunnel_ip)
    if (!claim.ok && claim.reason === 'taken') {
      const message = `tunnel_ip ${host.tunnel_ip} of host ${resource.name} is in use`
      const at = ['tunnel_ip']
      findings.push(takenFinding(claim, { code: 'E0231', message, at, holderAt: at, hint: 'every host needs a tunnel address of its own' }))
    }
  }
  if (host.public_key !== undefined) {
    const claim = pools.claim(uniquePool('public_key'), host.public_key)
    if (!claim.ok && claim.reason === 'taken') {
      const message = `public_key of host ${resource.name} is in use`
      const at = ['public_key']
      findings.push(
        takenFinding(claim, {
          code: 'E0237',
          message,
          at,
          holderAt: at,
          hint: `every host needs a key of its own: netloom keys new ${resource.name}`,
        }),
      )
    }
  }
  const spec: HostSpec = {
    ...(host.tunnel_ip === undefined ? {} : { tunnel_ip: host.tunnel_ip }),
    bridge_mappings: host.bridge_mappings ?? {},
    ...(host.public_key === undefined ? {} : { public_key: host.public_key }),
    backend: host.backend ?? backends[0] ?? 'ovs',
    roles: host.roles === undefined ? DEFAULT_ROLES : [...host.roles].sort(compareText),
    availability_zone: host.availability_zone ?? DEFAULT_ZONE,
    description: host.description ?? '',
  }
  return { spec, findings }
}
