import type { FieldName } from './fields.ts'

/** A flow as a plain value. Ports are numbers (OpenFlow 1.0's 16 bits, reserved ones in `PORT`); `format` and `parse` give text both ways. */
export interface Flow {
  readonly table: number
  readonly priority: number
  readonly cookie: bigint
  /** Seconds; absent = never. */
  readonly idle_timeout?: number
  readonly hard_timeout?: number
  readonly importance?: number
  /** Sorted as in `FLOW_FLAGS`. */
  readonly flags: readonly FlowFlag[]
  readonly match: Match
  /** In the order of execution. Empty = drop. Instructions sit among them, as in ovs-ofctl: meter first, then actions, write_metadata, goto_table. */
  readonly actions: readonly Action[]
}

export const FLOW_FLAGS = ['send_flow_rem', 'check_overlap', 'reset_counts', 'no_packet_counts', 'no_byte_counts'] as const
export type FlowFlag = (typeof FLOW_FLAGS)[number]

/** The fields a flow looks at; those that are absent may be anything. `xreg`, `xxreg` and the like are split into registers when made. */
export type Match = { readonly [F in FieldName]?: FieldValue }

/** `mask` absent: every bit counts. Else value has no bit outside mask, and mask is neither zero nor full. */
export interface FieldValue {
  readonly value: bigint
  readonly mask?: bigint
}

/** Some bits of a field: `NXM_NX_REG0[4..7]` is field reg0, start 4, bits 4. */
export interface Subfield {
  readonly field: FieldName
  readonly start: number
  readonly bits: number
}

/** Reserved ports, as OVS numbers them inside (16 bits). */
export const PORT = {
  IN_PORT: 0xfff8,
  TABLE: 0xfff9,
  NORMAL: 0xfffa,
  FLOOD: 0xfffb,
  ALL: 0xfffc,
  CONTROLLER: 0xfffd,
  LOCAL: 0xfffe,
  NONE: 0xffff,
} as const

export type Action =
  | { readonly kind: 'output'; readonly port: number; readonly max_len?: number }
  | { readonly kind: 'output_reg'; readonly src: Subfield; readonly max_len?: number }
  | ControllerAction
  | { readonly kind: 'group'; readonly group: number }
  | { readonly kind: 'set_field'; readonly field: FieldName; readonly value: bigint }
  | { readonly kind: 'load'; readonly dst: Subfield; readonly value: bigint }
  | { readonly kind: 'move'; readonly src: Subfield; readonly dst: Subfield }
  | { readonly kind: 'push'; readonly src: Subfield }
  | { readonly kind: 'pop'; readonly dst: Subfield }
  | { readonly kind: 'push_vlan'; readonly ethertype: number }
  | { readonly kind: 'pop_vlan' }
  /** `port` absent: the packet's own; `table` absent: the current one. */
  | { readonly kind: 'resubmit'; readonly port?: number; readonly table?: number; readonly ct?: true }
  | { readonly kind: 'goto_table'; readonly table: number }
  | { readonly kind: 'write_metadata'; readonly value: bigint; readonly mask?: bigint }
  | { readonly kind: 'clear_actions' }
  | { readonly kind: 'meter'; readonly meter: number }
  | LearnAction
  | CtAction
  | { readonly kind: 'ct_clear' }
  /** `clause` counts from 1, as in text. */
  | { readonly kind: 'conjunction'; readonly id: number; readonly clause: number; readonly clauses: number }
  /** Hex digits for 6 + 8n bytes: OVS pads with zeros. */
  | { readonly kind: 'note'; readonly data: string }
  | { readonly kind: 'dec_ttl'; readonly controllers?: readonly number[] }
  | { readonly kind: 'set_ttl'; readonly ttl: number }
  | { readonly kind: 'set_queue'; readonly queue: number }
  | { readonly kind: 'pop_queue' }
  | { readonly kind: 'clone'; readonly actions: readonly Action[] }
  | { readonly kind: 'check_pkt_larger'; readonly size: number; readonly dst: Subfield }
  | MultipathAction
  | { readonly kind: 'exit' }

/** Of a packet's hash picks one of so many links: the number, from 0, goes into `dst`. Names are those of ovs-actions(7), in the order of their numbers on the wire. */
export const HASH_FIELDS = ['eth_src', 'symmetric_l4', 'symmetric_l3l4', 'symmetric_l3l4+udp', 'nw_src', 'nw_dst', 'symmetric_l3'] as const
export const LINK_ALGORITHMS = ['modulo_n', 'hash_threshold', 'hrw', 'iter_hash'] as const

export interface MultipathAction {
  readonly kind: 'multipath'
  readonly fields: (typeof HASH_FIELDS)[number]
  readonly basis: number
  readonly algorithm: (typeof LINK_ALGORITHMS)[number]
  readonly links: number
  readonly arg: number
  readonly dst: Subfield
}

export interface ControllerAction {
  readonly kind: 'controller'
  /** Bytes of the packet to send; absent = all (65535). */
  readonly max_len?: number
  readonly id?: number
  readonly reason?: PacketInReason
  /** Hex digits. */
  readonly userdata?: string
  readonly pause?: true
  readonly meter?: number
}

export const PACKET_IN_REASONS = ['no_match', 'action', 'invalid_ttl', 'action_set', 'group', 'packet_out'] as const
export type PacketInReason = (typeof PACKET_IN_REASONS)[number]

export interface LearnAction {
  readonly kind: 'learn'
  readonly table: number
  readonly idle_timeout?: number
  readonly hard_timeout?: number
  readonly fin_idle_timeout?: number
  readonly fin_hard_timeout?: number
  /** Absent = 32768. */
  readonly priority?: number
  readonly cookie?: bigint
  readonly send_flow_rem?: true
  readonly delete_learned?: true
  /** Learned flows at most; absent = no limit. */
  readonly limit?: number
  /** One bit that tells whether the limit allowed it. */
  readonly result?: Subfield
  readonly specs: readonly LearnSpec[]
}

/** One part of the flow that is learned. */
export type LearnSpec =
  | { readonly kind: 'match'; readonly dst: Subfield; readonly src: Subfield | bigint }
  | { readonly kind: 'load'; readonly dst: Subfield; readonly src: Subfield | bigint }
  | { readonly kind: 'output'; readonly src: Subfield }

export interface CtAction {
  readonly kind: 'ct'
  readonly commit?: true
  readonly force?: true
  /** Absent = zone 0. */
  readonly zone?: number | Subfield
  readonly table?: number
  readonly nat?: Nat
  readonly exec?: readonly Action[]
  readonly alg?: 'ftp' | 'tftp'
}

/** `kind` absent: `nat`, which translates as the connection was translated before. */
export interface Nat {
  readonly kind?: 'src' | 'dst'
  readonly family?: 4 | 6
  readonly min?: bigint
  readonly max?: bigint
  readonly port_min?: number
  readonly port_max?: number
  readonly persistent?: true
  readonly hash?: true
  readonly random?: true
}
