import type { TunnelType } from '../../model/intent.ts'

/** A resolved tap service. */
export type TapServiceSpec = {
  readonly port: string
  /** How copies travel between hosts, in words of networks. Absent, as the next: the site has no tunnels, and they do not. */
  readonly network_type?: TunnelType
  /** A number that no network has. */
  readonly segmentation_id?: number
  readonly description: string
}
