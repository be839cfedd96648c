import { setTimeout as sleep } from 'node:timers/promises'
import type { Key } from '../model/key.ts'
import type { ProbeAnswer, StreamReport } from './guest/protocol.ts'
import type { Guests } from './guests.ts'
import type { LossReport } from './loss.ts'

export type ProbeKind = 'ping' | 'tcp' | 'udp'
export const PROBE_KINDS: readonly ProbeKind[] = ['ping', 'tcp', 'udp']

/** Larger than any MTU, so that full-size segments are on the way. */
const TCP_BYTES = 64 * 1024
/** Fits into one packet on every network that may carry IPv6 (MTU 1280). */
const UDP_BYTES = 1000

/** One question from a guest to an address: TCP and UDP with payload, checked both ways. */
export async function probe(guests: Guests, from: Key, address: string, kind: ProbeKind, timeoutMs: number): Promise<ProbeAnswer> {
  switch (kind) {
    case 'ping':
      return await guests.ask(from, { op: 'ping', address, timeout_ms: timeoutMs })
    case 'tcp':
      return await guests.ask(from, { op: 'tcp', address, bytes: TCP_BYTES, timeout_ms: timeoutMs })
    case 'udp':
      return await guests.ask(from, { op: 'udp', address, bytes: UDP_BYTES, timeout_ms: timeoutMs })
  }
}

export interface LossOptions {
  readonly from: Key
  readonly to: Key
  /** Of `to`, without prefix length. */
  readonly address: string
  /** Packets per second; 2,000 if left out. */
  readonly pps?: number
  /** Of the checked TCP transfer beside it; 1,000,000 if left out. */
  readonly bytes_per_s?: number
  /** Quiet time before and after the event; 300 ms if left out. */
  readonly settle_ms?: number
}

export interface EventLoss {
  readonly udp: LossReport
  readonly tcp: StreamReport
  /** How long the event itself took. */
  readonly event_ms: number
}

let lastNumber = 0

/**
 * What an event costs two guests that talk: UDP at a steady rate with numbered packets, and a checked TCP transfer, both running before,
 * during and after `event`. The guests reach each other before it begins.
 */
export async function lossDuring(guests: Guests, options: LossOptions, event: () => Promise<void>): Promise<EventLoss> {
  const { from, to, address } = options
  const number = (lastNumber = (lastNumber + 1) % 0xffffffff)
  const settle = options.settle_ms ?? 300
  await guests.ready([from, to])
  await guests.ask(from, { op: 'stream-start', stream: number, address, bytes_per_s: options.bytes_per_s ?? 1_000_000 })
  await guests.ask(from, { op: 'flow-send', flow: number, address, pps: options.pps ?? 2000 })
  await sleep(settle)
  const start = performance.now()
  let event_ms: number
  try {
    await event()
  } finally {
    event_ms = performance.now() - start
    await sleep(settle)
  }
  const ended = await guests.ask(from, { op: 'flow-end', flow: number })
  const tcp = await guests.ask(from, { op: 'stream-end', stream: number, timeout_ms: 10_000 })
  // Packets still on the way when the sender stopped.
  await sleep(50)
  const udp = await guests.ask(to, { op: 'flow-count', flow: number, ended })
  return { udp, tcp, event_ms }
}
