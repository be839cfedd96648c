import type { NetworkType } from '../../model/intent.ts'
import type { ValuePath } from '../../model/issue.ts'
import type { HostSpec } from '../host/spec.ts'

/**
 * What binds a port to a host (Neutron's ML2 mechanism driver, B3.15). Drivers are asked in the site's order, for each segment of the network in turn; the first
 * that can bind does. Pure: it judges what the repository says of the host. Whether the agent lives is told beside the plan.
 */
export interface MechanismDriver {
  /** As in the site file's `mechanism_drivers`. */
  readonly name: string
  readonly summary: string
  readonly vnic_types: readonly string[]
  /** The backend by which an agent of such a host realises it. */
  readonly backend: string
  /**
   * Whether networks that it binds ports to hand on frames with guests' own VLAN tags (Neutron's `vlan_transparent`); the same within a tag of the network (`qinq`). Absent: it says nothing.
   * `can: false` refuses such networks for the whole site, whichever driver would bind their ports.
   */
  readonly vlan_transparent?: Ability
  readonly qinq?: Ability
  bind(request: BindRequest): BindAnswer
}

/** `why`: one clause. */
export type Ability = { readonly can: true } | { readonly can: false; readonly why: string }

/** The abilities that drivers speak of, by their members. */
export const ABILITIES = ['vlan_transparent', 'qinq'] as const

export interface BindRequest {
  readonly vnic_type: string
  /** What the network asks for besides; some driver of the site said that it can. */
  readonly network: { readonly vlan_transparent: boolean; readonly qinq: boolean }
  readonly segment: BindSegment
  readonly host: HostSpec & { readonly name: string }
}

export interface BindSegment {
  readonly network_type: string
  readonly carriage: NetworkType
  readonly physical_network?: string
  readonly segmentation_id?: number
}

export type BindAnswer =
  /** Neutron's `binding:vif_type`: how whoever plugs the port is to do it. */
  | { readonly ok: true; readonly vif_type: string }
  | {
      readonly ok: false
      /** One clause, such as `the host has no tunnel_ip`. */
      readonly why: string
      /** What to write in the host, if that would help. */
      readonly fix?: string
      /** Where in the host it is missing. */
      readonly at?: ValuePath
    }
