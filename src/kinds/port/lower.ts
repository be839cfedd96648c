import { canonicalPrefix } from '../../lib/cidr.ts'
import { type AllowedAddress, type AttachIntent, hostsOf, type LocationIntent, type Plug } from '../../model/intent.ts'
import type { Key } from '../../model/key.ts'
import type { Resource } from '../../model/resource.ts'
import { FABRIC, hostScope, intentKey, networkScope } from '../../model/scope.ts'
import type { Lowered, View } from '../kind.ts'
import type { NetworkSpec } from '../network/spec.ts'
import type { SubnetSpec } from '../subnet/spec.ts'
import { groupKeys, groupScopes, memberships } from './security-groups.ts'
import type { PortSpec } from './spec.ts'

/** Everybody on the network learns where the port lives, and its groups who they are; its host learns to attach it, and needs the network, the fabric and the groups for it. */
export function lowerPort(resource: Resource<PortSpec>, view: View): Lowered {
  const { key, spec } = resource
  const network = view.need<NetworkSpec>(view.ref('network', spec.network))
  const scope = networkScope(network.key)
  // Members in the order of the alphabet, here and below: a scope's version is counted over text in that order.
  const location: LocationIntent = {
    admin_state_up: spec.admin_state_up,
    ...(spec.host === undefined ? {} : { host: spec.host }),
    ips: spec.fixed_ips.map((f) => f.ip_address),
    mac: spec.mac_address,
    ...(spec.migrating_to === undefined ? {} : { migrating_to: spec.migrating_to }),
    network: network.key,
    ...otherMacs(spec),
    port: key,
    port_security_enabled: spec.port_security_enabled,
    ...segmentOf(spec),
    type: 'location',
  }
  const located = { scope, key: intentKey('location', key), intent: location }
  const groups = groupKeys(spec, view)
  const everywhere = [located, ...memberships(resource, groups ?? [])]
  if (spec.host === undefined) return { intents: everywhere, needs: [] }
  const intent = attach(resource, network, groups, view)
  const shared = [scope, FABRIC, ...groupScopes(groups ?? [], view)]
  const hosts = hostsOf(spec)
  return {
    intents: [...everywhere, ...hosts.map((h) => ({ scope: hostScope(h), key: intentKey('attach', key), intent }))],
    needs: hosts.flatMap((h) => [hostScope(h), ...shared].map((needed) => ({ host: h, scope: needed }))),
  }
}

function attach(
  resource: Resource<PortSpec>,
  network: Resource<NetworkSpec>,
  groups: readonly Key[] | undefined,
  view: View,
): AttachIntent {
  const { key, id, spec } = resource
  return {
    addresses: spec.fixed_ips.map((f) => `${f.ip_address}/${prefixLength(view.need<SubnetSpec>(view.ref('subnet', f.subnet)).spec.cidr)}`),
    admin_state_up: spec.admin_state_up,
    allowed: spec.port_security_enabled ? allowedAddresses(spec) : [],
    id,
    mac: spec.mac_address,
    mtu: network.spec.mtu,
    network: network.key,
    plug: plugOf(spec),
    port: key,
    port_security_enabled: spec.port_security_enabled,
    ...(groups === undefined ? {} : { security_groups: groups }),
    ...segmentOf(spec),
    type: 'attach',
  }
}

function otherMacs(spec: PortSpec): { readonly other_macs?: readonly string[] } {
  const macs = spec.port_security_enabled ? new Set(spec.allowed_address_pairs.map((p) => p.mac_address)) : new Set<string>()
  macs.delete(spec.mac_address)
  return macs.size === 0 ? {} : { other_macs: [...macs].sort() }
}

function segmentOf({ binding: { segment } }: PortSpec): { readonly segment?: string } {
  return segment === undefined ? {} : { segment }
}

function prefixLength(cidr: string): string {
  return cidr.slice(cidr.indexOf('/') + 1)
}

function plugOf({ plug }: PortSpec): Plug {
  return plug === undefined ? { by: 'external' } : { by: 'agent', ...plug }
}

/** The port's own addresses first, then the pairs; each (MAC, prefix) once. */
function allowedAddresses(spec: PortSpec): readonly AllowedAddress[] {
  const own = spec.fixed_ips.map((f) => ({ mac: spec.mac_address, text: f.ip_address }))
  const pairs = spec.allowed_address_pairs.map((p) => ({ mac: p.mac_address, text: p.ip_address }))
  const seen = new Map<string, AllowedAddress>()
  for (const { mac, text } of [...own, ...pairs]) {
    const prefix = canonicalPrefix(text) ?? text
    if (!seen.has(`${mac} ${prefix}`)) seen.set(`${mac} ${prefix}`, { mac, prefix })
  }
  return [...seen.values()]
}
