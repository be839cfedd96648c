/** A resolved QoS policy. */
export type QosPolicySpec = {
  /** By type, then direction. */
  readonly rules: readonly QosRule[]
  readonly shared: boolean
  readonly is_default: boolean
  readonly description: string
}

export type Direction = 'egress' | 'ingress'

export type QosRule =
  /** Kilobits per second, and kilobits that may come at once. */
  | { readonly type: 'bandwidth_limit'; readonly direction: Direction; readonly max_kbps: number; readonly max_burst_kbps: number }
  /** The same in thousands of packets. */
  | { readonly type: 'packet_rate_limit'; readonly direction: Direction; readonly max_kpps: number; readonly max_burst_kpps: number }
  | { readonly type: 'dscp_marking'; readonly dscp_mark: number }

/** What default policies and networks that look for one mean by the same word: its name is the project. No resource. */
export const DEFAULT_QOS_POLICY = 'default_qos_policy'

/** The marks that Neutron takes (`VALID_DSCP_MARKS`): the classes of RFC 2474, 2597, 3246 and 5865. */
export const DSCP_MARKS: readonly number[] = [0, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 44, 46, 48, 56]
