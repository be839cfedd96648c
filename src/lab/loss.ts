/** One packet of a counted flow as it arrived. Times in ms on one clock for sender and receiver. */
export interface Arrival {
  readonly seq: number
  readonly sent_ms: number
  readonly arrived_ms: number
}

export interface LossReport {
  readonly sent: number
  readonly received: number
  readonly lost: number
  readonly duplicates: number
  readonly reordered: number
  /** The longest time in which the path did not deliver: while packets were lost, or while they were held up. The sender's own pauses do not count. */
  readonly largest_gap_ms: number
  /** The longest pause of the sender, to judge the measurement by. */
  readonly send_gap_ms: number
  /** Packets that reached the receiver's socket and found it full: the machine was too busy to measure. Part of `lost`. */
  readonly receiver_dropped: number
  /** Runs of packets that never came, in order. */
  readonly holes: readonly Hole[]
}

/** `lost` packets in a row that were sent after `from_ms` and before `to_ms`. */
export interface Hole {
  readonly lost: number
  readonly from_ms: number
  readonly to_ms: number
}

export interface SentFlow {
  readonly sent: number
  readonly first_ms: number
  readonly last_ms: number
  readonly send_gap_ms: number
}

/** `arrivals` in the order of their arrival. */
export function lossReport(arrivals: readonly Arrival[], flow: SentFlow, receiverDropped = 0): LossReport {
  const seen = new Set<number>()
  let duplicates = 0
  let reordered = 0
  let gap = 0
  // The flow's first packet would have arrived at once: what is missing before the first arrival is a gap, too.
  let last: Arrival = { seq: -1, sent_ms: flow.first_ms, arrived_ms: flow.first_ms }
  for (const a of arrivals) {
    if (seen.has(a.seq)) {
      duplicates++
      continue
    }
    seen.add(a.seq)
    if (a.seq < last.seq) {
      reordered++
      continue
    }
    const silence = a.arrived_ms - last.arrived_ms
    gap = Math.max(gap, a.seq === last.seq + 1 ? silence - (a.sent_ms - last.sent_ms) : silence)
    last = a
  }
  if (last.seq < flow.sent - 1) gap = Math.max(gap, flow.last_ms - last.arrived_ms)
  return {
    sent: flow.sent,
    received: seen.size,
    lost: flow.sent - seen.size,
    duplicates,
    reordered,
    largest_gap_ms: Math.round(gap * 10) / 10,
    send_gap_ms: Math.round(flow.send_gap_ms * 10) / 10,
    receiver_dropped: receiverDropped,
    holes: holesOf(arrivals, flow),
  }
}

function holesOf(arrivals: readonly Arrival[], flow: SentFlow): Hole[] {
  const holes: Hole[] = []
  let last = { seq: -1, sent_ms: flow.first_ms }
  for (const next of [...[...arrivals].sort((a, b) => a.seq - b.seq), { seq: flow.sent, sent_ms: flow.last_ms }]) {
    if (next.seq > last.seq + 1) holes.push({ lost: next.seq - last.seq - 1, from_ms: last.sent_ms, to_ms: next.sent_ms })
    last = next
  }
  return holes
}
