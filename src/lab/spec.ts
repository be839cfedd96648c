import type { Key } from '../model/key.ts'

/** What a lab is to hold. Plain data: the CLI derives it from a world, a test writes it by hand. */
export interface LabSpec {
  readonly hosts: readonly LabHost[]
  readonly guests: readonly LabGuest[]
  /** MTU of the network that carries the tunnels; 1500 if left out. */
  readonly underlay_mtu?: number
  /** MTU of every provider network; 1500 if left out. */
  readonly provider_mtu?: number
  /**
   * What joins the hosts: a Linux bridge, or an Open vSwitch of its own where the kernel has no bridge. `auto` (the default) tries
   * the bridge first.
   */
  readonly wire?: 'auto' | 'bridge' | 'ovs'
}

export interface LabHost {
  readonly name: string
  /** IPv4 or IPv6; put on a netdev bridge that holds the NIC, because the userspace datapath loses every tunnel packet otherwise. */
  readonly tunnel_ip?: string
  /** physical_network → provider bridge. Every host that names a physical network is on the same segment. */
  readonly bridge_mappings?: Readonly<Record<string, string>>
}

/** A guest: a network namespace that stands for a VM or a container. */
export interface LabGuest {
  readonly port: Key
  /** The port's UUID, written to `external_ids:iface-id` as a hypervisor does. */
  readonly id: string
  readonly host: string
  readonly mac: string
  readonly mtu: number
  /** With prefix length: `10.10.0.11/24`. */
  readonly addresses: readonly string[]
  /** Default routes, at most one per address family. */
  readonly gateways?: readonly string[]
  /**
   * `lab` (the default): the lab makes a veth and plugs it into br-int. `agent`: the agent makes the interface, the lab gives only the
   * namespace.
   */
  readonly plug?: 'lab' | 'agent'
  /** The name under which the agent is told about the namespace; seen by programs on the host only. */
  readonly netns?: string
}

export const INTEGRATION_BRIDGE = 'br-int'
export const UNDERLAY_BRIDGE = 'br-und'
export const GUEST_INTERFACE = 'eth0'
export const DEFAULT_MTU = 1500
