import type { HostSpec } from '../kinds/host/spec.ts'
import type { PortSpec } from '../kinds/port/spec.ts'
import type { LabGuest, LabHost, LabSpec } from '../lab/spec.ts'
import { compareText } from '../model/key.ts'
import type { Resource } from '../model/resource.ts'
import { hostScope } from '../model/scope.ts'
import type { World } from '../server/engine/types.ts'

/** The lab for a world: a host for each host, a guest for each port that is on one. */
export function labSpecOf(world: World): LabSpec {
  const hosts: LabHost[] = []
  const guests: LabGuest[] = []
  for (const resource of [...world.resources.values()].sort((a, b) => compareText(a.key, b.key))) {
    if (resource.kind === 'host') {
      const { tunnel_ip, bridge_mappings } = resource.spec as unknown as HostSpec
      hosts.push({ name: resource.name, bridge_mappings, ...(tunnel_ip === undefined ? {} : { tunnel_ip }) })
    } else if (resource.kind === 'port') {
      const guest = guestOf(resource as unknown as Resource<PortSpec>, world)
      if (guest !== undefined) guests.push(guest)
    }
  }
  return { hosts, guests }
}

function guestOf(port: Resource<PortSpec>, world: World): LabGuest | undefined {
  const { host, mac_address, plug } = port.spec
  const attach =
    host === undefined
      ? undefined
      : [...(world.scopes.get(hostScope(host))?.intents.values() ?? [])].find((i) => i.type === 'attach' && i.port === port.key)
  if (host === undefined || attach?.type !== 'attach') return undefined
  return {
    port: port.key,
    id: port.id,
    host,
    mac: mac_address,
    mtu: attach.mtu,
    addresses: attach.addresses,
    ...(plug === undefined ? {} : { plug: 'agent' as const }),
    ...(plug?.netns === undefined ? {} : { netns: plug.netns }),
  }
}
