import type { Key } from './key.ts'

/**
 * What the data plane must do, in words no backend owns: no table, register, tag or port number of OVS appears here.
 * Kinds make intents (`kinds/<kind>/lower.ts`); backends compile them. Every value is plain JSON.
 * Adding a data-plane ability = one more member; the exhaustive switch in each backend's compiler then names who must answer.
 */
export type Intent = EndpointIntent | HostIntent | AttachIntent | SegmentIntent | LocationIntent

export type NetworkType = 'local' | 'flat' | 'vlan' | 'vxlan' | 'geneve' | 'gre'
export type TunnelType = 'vxlan' | 'geneve' | 'gre'

/** scope `fabric`: where a host's tunnels end. */
export interface EndpointIntent {
  readonly type: 'endpoint'
  readonly host: string
  /** IPv4 or IPv6 address, canonical text. */
  readonly tunnel_ip: string
}

/** scope `host/<h>`: what the whole host offers. */
export interface HostIntent {
  readonly type: 'host'
  readonly host: string
  /** Absent: the host takes part in no tunnel. */
  readonly tunnel_ip?: string
  /** physical_network → provider bridge that exists on the host and is not ours. */
  readonly bridge_mappings: Readonly<Record<string, string>>
  /** Whose rows and flows these are: two installations on one switch leave each other alone. */
  readonly installation: string
  /** What the agent does about drift, and when it reads everything again (cron expression, UTC). */
  readonly drift: { readonly mode: 'off' | 'report' | 'repair'; readonly schedule: string }
}

/** scope `host/<h>`: a port that is to be attached on this host. */
export interface AttachIntent {
  readonly type: 'attach'
  readonly port: Key
  /** The port's UUID: what `external_ids:iface-id` holds. */
  readonly id: string
  readonly network: Key
  readonly mac: string
  readonly admin_state_up: boolean
  readonly mtu: number
  /** Who makes the interface: `external` = a VM or container plugs it and names it by `iface-id`. */
  readonly plug: Plug
  readonly port_security_enabled: boolean
  /** With port security: the only (MAC, source prefix) pairs that may be sent. The port's own come first; IPv6 link-local of each MAC is implied. */
  readonly allowed: readonly AllowedAddress[]
  /** The port's own addresses with prefix length, for interfaces that the agent makes (`10.0.0.5/24`). */
  readonly addresses: readonly string[]
}

export interface AllowedAddress {
  readonly mac: string
  /** Prefix in canonical CIDR form; a single address is /32 or /128. */
  readonly prefix: string
}

export type Plug =
  | { readonly by: 'external' }
  | {
      readonly by: 'agent'
      readonly type: 'internal' | 'veth'
      readonly interface: string
      readonly netns?: string
      readonly guest_interface?: string
    }

/** scope `net/<n>`: how a network is carried. */
export interface SegmentIntent {
  readonly type: 'segment'
  readonly network: Key
  readonly network_type: NetworkType
  /** flat and vlan only. */
  readonly physical_network?: string
  /** VLAN id or tunnel key. */
  readonly segmentation_id?: number
  readonly mtu: number
  readonly admin_state_up: boolean
}

/** scope `net/<n>`: where a port of the network lives and which addresses are known to be its own. */
export interface LocationIntent {
  readonly type: 'location'
  readonly port: Key
  readonly network: Key
  /** Absent: bound to no host (yet). A name that no host has: it lives outside, and is reached by the provider network, if the network has one. */
  readonly host?: string
  readonly mac: string
  /** Canonical addresses without prefix length. */
  readonly ips: readonly string[]
  /** False: this port may own addresses that nobody declared; it needs unknown unicast, and its addresses are learned. */
  readonly port_security_enabled: boolean
  readonly admin_state_up: boolean
  /**
   * MACs that its allowed address pairs let it use besides its own (a virtual router's), sorted; absent when there are none. Several ports may share
   * one: frames to it find the port that used it last.
   */
  readonly other_macs?: readonly string[]
}
