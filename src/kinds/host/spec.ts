/** A resolved host. */
export type HostSpec = {
  /** Canonical; absent: no tunnels. */
  readonly tunnel_ip?: string
  /** physical_network → bridge. */
  readonly bridge_mappings: { readonly [physicalNetwork: string]: string }
  /** Z85, 40 letters; absent: with keys on, its agent is not let in. */
  readonly public_key?: string
  /** What its agent drives: a mechanism driver's `backend`. */
  readonly backend: string
  /** What its agent does, sorted: with `l2` it has ports and tunnels; others reach it by what plugins ask of them. */
  readonly roles: readonly string[]
  /** Hosts that fail together have the same. */
  readonly availability_zone: string
  readonly description: string
}

/** The role of hosts that carry networks and bind ports. */
export const L2 = 'l2'

export const DEFAULT_ROLES: readonly string[] = [L2]

/** What networks and hosts mean by the same physical network: a name both mention, no resource. */
export const PHYSICAL_NETWORK = 'physical_network'

/** What hosts and whoever sends to addresses outside mean by the same address: no resource. */
export const TUNNEL_ADDRESS = 'tunnel_address'

/** What networks and hosts mean by the same zone: a name both mention, no resource. */
export const AVAILABILITY_ZONE = 'availability_zone'

/** Neutron's name for where hosts are that name no zone. */
export const DEFAULT_ZONE = 'nova'

/** The bridge that is Netloom's own on every host. */
export const INTEGRATION_BRIDGE = 'br-int'
