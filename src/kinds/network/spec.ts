import type { NetworkType } from '../../model/intent.ts'

/** A resolved network. */
export type NetworkSpec = {
  readonly network_type: NetworkType
  /** flat and vlan only. */
  readonly physical_network?: string
  /** VLAN id, VNI or GRE key; not for local and flat. */
  readonly segmentation_id?: number
  readonly mtu: number
  readonly admin_state_up: boolean
  readonly port_security_enabled: boolean
  readonly external: boolean
  readonly description: string
  readonly tags: readonly string[]
}

/** Highest number of each type that has numbers (Neutron: B3.6). */
export const LAST_SEGMENT: Readonly<Partial<Record<NetworkType, number>>> = {
  vlan: 4094,
  vxlan: 16_777_215,
  geneve: 16_777_215,
  gre: 4_294_967_295,
}

export function isTunnel(type: string): type is 'vxlan' | 'geneve' | 'gre' {
  return type === 'vxlan' || type === 'geneve' || type === 'gre'
}
