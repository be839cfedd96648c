/** A resolved network. */
export type NetworkSpec = {
  /** The name of a type driver. */
  readonly network_type: string
  /** flat and vlan only. */
  readonly physical_network?: string
  /** VLAN id, VNI or GRE key; not for local and flat. */
  readonly segmentation_id?: number
  readonly mtu: number
  readonly admin_state_up: boolean
  readonly port_security_enabled: boolean
  /** Every project may have ports here. */
  readonly shared: boolean
  readonly external: boolean
  /** In the order written: schedulers of the network's services prefer them. */
  readonly availability_zone_hints: readonly string[]
  readonly description: string
}
