import type { Binding } from './binding.ts'

/** A resolved port. Addresses are canonical text. */
export type PortSpec = {
  /** As written: name or project/name. */
  readonly network: string
  /** Absent: attached nowhere yet. */
  readonly host?: string
  /** Wired there as well, until the guest has moved. */
  readonly migrating_to?: string
  readonly mac_address: string
  /** IPv4 before IPv6, then by value. */
  readonly fixed_ips: readonly FixedIp[]
  /** Addresses are chosen once it is on a host, which says on which segment it is. */
  readonly ip_allocation?: 'deferred'
  readonly admin_state_up: boolean
  readonly port_security_enabled: boolean
  /** Sorted, as written: name or project/name. Empty: nothing passes. Absent: there are no rules, and everything does. */
  readonly security_groups?: readonly string[]
  readonly allowed_address_pairs: readonly AddressPair[]
  readonly binding: Binding
  readonly device_id: string
  readonly device_owner: string
  readonly plug?: PortPlug
  readonly description: string
}

export type FixedIp = { readonly subnet: string; readonly ip_address: string }

/** `ip_address` is an address, or a prefix in canonical form. */
export type AddressPair = { readonly ip_address: string; readonly mac_address: string }

export type PortPlug = {
  readonly type: 'internal' | 'veth'
  readonly interface: string
  readonly netns?: string
  readonly guest_interface?: string
}

const ROUTER_INTERFACES: ReadonlySet<string> = new Set([
  'network:router_interface',
  'network:router_interface_distributed',
  'network:ha_router_replicated_interface',
  'network:router_centralized_snat',
])

/** Ports by which a router serves a network (Neutron's `ROUTER_INTERFACE_OWNERS_SNAT`): they announce prefixes, and take no address from them. */
export function isRouterInterface(deviceOwner: string): boolean {
  return ROUTER_INTERFACES.has(deviceOwner)
}

/** Ports of routers may have addresses that hosts may not (Neutron's `ROUTER_PORT_OWNERS`). */
export function isRouterOwned(deviceOwner: string): boolean {
  return deviceOwner === 'network:router_gateway' || isRouterInterface(deviceOwner)
}
