import type { LossReport } from '../loss.ts'

/** Every guest's program listens here, TCP and UDP, IPv4 and IPv6. */
export const PROBE_PORT = 7001
/** What a guest calls its interface. */
export const GUEST_DEVICE = 'eth0'

/** What a guest can be asked to do: one JSON line each on its standard input, answered by one JSON line with the same id. */
export type GuestAsk =
  | { readonly op: 'hello' }
  /** ICMP echo by the system's ping. `size` is the payload; `df` forbids fragments. Stops at the first answer unless `count` asks for more. */
  | {
      readonly op: 'ping'
      readonly address: string
      readonly timeout_ms: number
      readonly count?: number
      readonly size?: number
      readonly df?: boolean
    }
  /** Connects, sends `bytes` of random payload, receives as many; both ends compare SHA-256. */
  | { readonly op: 'tcp'; readonly address: string; readonly bytes: number; readonly timeout_ms: number; readonly port?: number }
  /** Sends a datagram with payload and its hash, and waits for one of the same size back; asks again every 200 ms. */
  | { readonly op: 'udp'; readonly address: string; readonly bytes: number; readonly timeout_ms: number; readonly port?: number }
  /** Listens on one more port, TCP and UDP. */
  | { readonly op: 'listen'; readonly port: number }
  /** Becomes a member of a multicast group, or no longer is one. `from`: the guest's own IPv4 address, which says by which interface. */
  | { readonly op: 'join'; readonly group: string; readonly from: string }
  | { readonly op: 'leave'; readonly group: string }
  /** `port`: the probe port if left out. `fresh`: each packet from a socket, and so a port, of its own: a connection that is new to everybody. */
  | {
      readonly op: 'flow-send'
      readonly flow: number
      readonly address: string
      readonly pps: number
      readonly port?: number
      readonly fresh?: boolean
    }
  | { readonly op: 'flow-end'; readonly flow: number }
  | { readonly op: 'flow-count'; readonly flow: number; readonly ended: FlowEnd }
  | { readonly op: 'stream-start'; readonly stream: number; readonly address: string; readonly bytes_per_s: number }
  | { readonly op: 'stream-end'; readonly stream: number; readonly timeout_ms: number }
  /** TCP segments that this guest has sent again since it is there. */
  | { readonly op: 'retransmitted' }

export interface ProbeAnswer {
  readonly ok: boolean
  /** From the first packet to the last check. */
  readonly ms: number
  /** Why not, in a few words. */
  readonly detail?: string
  /** Ping only: echo requests sent and answered. */
  readonly sent?: number
  readonly received?: number
}

/** What the sender of a counted flow knows at its end. Times are `process.hrtime` in ms: one clock for all processes of a machine. */
export interface FlowEnd {
  readonly sent: number
  readonly first_ms: number
  readonly last_ms: number
  /** The longest pause between two sends: the sender's own share in any gap. */
  readonly send_gap_ms: number
  readonly errors: readonly string[]
}

export interface StreamReport {
  readonly ok: boolean
  /** Sent and received, with equal SHA-256 when `ok`. */
  readonly bytes: number
  readonly received: number
  /** The longest time in which nothing arrived. */
  readonly largest_gap_ms: number
  /** TCP segments that this guest sent again while the stream ran. */
  readonly retransmitted: number
  readonly detail?: string
}

/** What each question is answered with. */
export interface GuestAnswers {
  readonly hello: { readonly pid: number }
  readonly ping: ProbeAnswer
  readonly tcp: ProbeAnswer
  readonly udp: ProbeAnswer
  readonly listen: null
  readonly join: null
  readonly leave: null
  readonly 'flow-send': null
  readonly 'flow-end': FlowEnd
  readonly 'flow-count': LossReport
  readonly 'stream-start': null
  readonly 'stream-end': StreamReport
  readonly retransmitted: number
}

export interface AskLine {
  readonly id: number
  readonly ask: GuestAsk
}

export type AnswerLine =
  | { readonly id: number; readonly answer: GuestAnswers[keyof GuestAnswers] }
  | { readonly id: number; readonly error: string }
