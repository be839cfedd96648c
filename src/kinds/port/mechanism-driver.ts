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
  bind(request: BindRequest): BindAnswer
}

export interface BindRequest {
  readonly vnic_type: string
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
