/** One way in which a network is carried. */
export type Segment = {
  /** What subnets call it. */
  readonly name?: string
  /** The name of a type driver. */
  readonly network_type: string
  /** flat and vlan only. */
  readonly physical_network?: string
  /** VLAN id, VNI or GRE key; not for local and flat. */
  readonly segmentation_id?: number
}

/** A resolved network. */
export type NetworkSpec = {
  /** The name of a type driver. Absent, as the two below, where there are `segments`. */
  readonly network_type?: string
  /** flat and vlan only. */
  readonly physical_network?: string
  /** VLAN id, VNI or GRE key; not for local and flat. */
  readonly segmentation_id?: number
  /** In the order in which ports take the first that their host can reach. */
  readonly segments?: readonly Segment[]
  readonly mtu: number
  readonly admin_state_up: boolean
  readonly port_security_enabled: boolean
  /** Every project may have ports here. */
  readonly shared: boolean
  readonly external: boolean
  /** Absent: as the site says. */
  readonly igmp_snooping_enable?: boolean
  /** Absent: nobody asked. */
  readonly vlan_transparent?: boolean
  readonly qinq?: boolean
  /** In the order written: schedulers of the network's services prefer them. */
  readonly availability_zone_hints: readonly string[]
  readonly description: string
}

/** How a network is carried: one segment, or those that are listed. */
export function segmentsOf({ network_type, physical_network, segmentation_id, segments }: NetworkSpec): readonly Segment[] {
  if (segments !== undefined) return segments
  return [
    {
      network_type: network_type ?? 'local',
      ...(physical_network === undefined ? {} : { physical_network }),
      ...(segmentation_id === undefined ? {} : { segmentation_id }),
    },
  ]
}

/** `vlan physnet1 50`: tells the segments of a network apart, whatever their order and names. */
export function segmentText({ network_type, physical_network, segmentation_id }: Segment): string {
  return [network_type, physical_network, segmentation_id].filter((part) => part !== undefined).join(' ')
}
