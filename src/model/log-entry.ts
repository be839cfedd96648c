import type { Key } from './key.ts'

/** What was done with a packet, and why. */
export type Verdict =
  /** A rule lets the connection begin; of stateless groups, the packet pass. */
  'ACCEPT' | 'DROP'

/** Why a packet was dropped: no rule allows it; none allows its connection any more; it belongs to no connection that there can be. */
export type DropCause = 'no rule' | 'refused' | 'invalid'

/** One packet that a log asks for; plain JSON, as it stands in the host's file. */
export interface PacketEntry {
  /** ISO 8601, when the agent heard of it. */
  readonly time: string
  readonly verdict: Verdict
  /** From the port's point of view. */
  readonly direction: 'ingress' | 'egress'
  readonly port: Key
  /** The logs that ask for it. */
  readonly logs: readonly Key[]
  /** Those of the port. */
  readonly groups: readonly Key[]
  /** ACCEPT: the group whose rule it is, and what the rule allows (`ruleWords`). */
  readonly group?: Key
  readonly rule?: string
  /** DROP. */
  readonly cause?: DropCause
  readonly ethertype: 'IPv4' | 'IPv6'
  /** Number. */
  readonly protocol: number
  readonly src: string
  readonly dst: string
  readonly src_port?: number
  readonly dst_port?: number
  readonly icmp_type?: number
  readonly icmp_code?: number
  readonly src_mac: string
  readonly dst_mac: string
  /** Bytes of the frame. */
  readonly bytes: number
}

/** Packets that would have been written down, and were too many. */
export interface SuppressedEntry {
  readonly time: string
  readonly verdict: Verdict
  readonly suppressed: number
}

export type LogEntry = PacketEntry | SuppressedEntry

/** A line of the server's record: what a host told, and where what it speaks of is written. */
export type LogLine = Told & ((PacketEntry & Origin) | SuppressedEntry | LostEntry)
export type PacketLine = Told & PacketEntry & Origin

interface Told {
  readonly host: string
  readonly time: string
  /** What the host held. */
  readonly revision: number
}

/** That many were too many to be told while the server was away: the host's own file has them. */
interface LostEntry {
  readonly lost: number
}

export interface Origin {
  /** ACCEPT: the rule, as `file:line:col`. Absent: nobody wrote it. DROP: see `places`. */
  readonly place?: string
  /** DROP: of each of `groups`; null: nobody wrote it. */
  readonly places?: readonly (string | null)[]
  /** What last changed the rule; of DROP, what last changed any of the groups. */
  readonly changed?: { readonly revision: number; readonly commit?: string; readonly subject?: string }
}

export function isPacket<T extends LogEntry | LogLine>(entry: T): entry is Extract<T, PacketEntry> {
  return 'direction' in entry
}
