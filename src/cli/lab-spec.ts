import type { HostSpec } from '../kinds/host/spec.ts'
import type { PortSpec } from '../kinds/port/spec.ts'
import type { LabGuest, LabHost, LabSpec } from '../lab/spec.ts'
import { compareText, type Key } from '../model/key.ts'
import type { Resource } from '../model/resource.ts'
import { hostScope } from '../model/scope.ts'
import type { World } from '../server/engine/types.ts'
import { type LabRoutes, labRoutes } from './lab-routes.ts'

/** The lab for a world: a host for each host, a guest for each port that is on one. A subport has none: it comes through its parent's. */
export function labSpecOf(world: World): LabSpec {
  const hosts: LabHost[] = []
  const guests: LabGuest[] = []
  const inside = subports(world)
  const routes = labRoutes(world)
  for (const resource of [...world.resources.values()].sort((a, b) => compareText(a.key, b.key))) {
    if (resource.kind === 'host') {
      const { tunnel_ip, bridge_mappings } = resource.spec as unknown as HostSpec
      hosts.push({ name: resource.name, bridge_mappings, ...(tunnel_ip === undefined ? {} : { tunnel_ip }) })
    } else if (resource.kind === 'port' && !inside.has(resource.key)) {
      const guest = guestOf(resource as unknown as Resource<PortSpec>, world, routes)
      if (guest !== undefined) guests.push(guest)
    }
  }
  return { hosts, guests }
}

function subports(world: World): ReadonlySet<Key> {
  const trunks = [...world.scopes.values()].flatMap((s) => [...s.intents.values()]).filter((i) => i.type === 'trunk')
  return new Set(trunks.flatMap((t) => t.subports.map((s) => s.port)))
}

function guestOf(port: Resource<PortSpec>, world: World, routes: LabRoutes): LabGuest | undefined {
  const { host, mac_address, plug } = port.spec
  const attach =
    host === undefined
      ? undefined
      : [...(world.scopes.get(hostScope(host))?.intents.values() ?? [])].find((i) => i.type === 'attach' && i.port === port.key)
  if (host === undefined || attach?.type !== 'attach') return undefined
  const gateways = routes.gatewaysOf(port)
  return {
    port: port.key,
    id: port.id,
    host,
    mac: mac_address,
    mtu: attach.mtu,
    addresses: attach.addresses,
    ...(gateways.length === 0 ? {} : { gateways }),
    ...(plug === undefined ? {} : { plug: 'agent' as const }),
    ...(plug?.netns === undefined ? {} : { netns: plug.netns }),
  }
}
