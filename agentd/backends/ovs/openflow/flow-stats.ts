import { FLOW_FLAGS, type Flow, type Match } from '../flow/types.ts'
import type { ByteWriter } from './bytes.ts'
import { ALL_TABLES, ANY } from './constants.ts'
import { OpenFlowError, unreadable } from './error.ts'
import { putMatch } from './put-oxm.ts'
import { readInstructions } from './read-actions.ts'
import { hexOf, readMatch } from './read-oxm.ts'

/** Which flows are meant; what is absent does not limit. */
export interface FlowFilter {
  readonly table?: number
  readonly cookie?: bigint
  /** Bits of `cookie` that count; all of them when it is absent. */
  readonly cookie_mask?: bigint
  /** Flows that match at least this. */
  readonly match?: Match
}

export interface FlowEntry {
  readonly flow: Flow
  readonly packets: number
  readonly bytes: number
  /** Seconds since it was added. */
  readonly duration: number
}

/** A flow with something in it that this client does not know: not ours, since we cannot have written it. */
export interface UnreadableFlow {
  readonly table: number
  readonly priority: number
  readonly cookie: bigint
  /** What was not understood, quoted. */
  readonly why: string
}

export interface FlowDump {
  readonly flows: readonly FlowEntry[]
  readonly unreadable: readonly UnreadableFlow[]
}

/** The body of a request for flows, or for their sums. */
export function putFlowRequest(w: ByteWriter, filter: FlowFilter): void {
  w.u8(filter.table ?? ALL_TABLES)
  w.zeros(3)
  w.u32(ANY)
  w.u32(ANY)
  w.zeros(4)
  w.u64(filter.cookie ?? 0n)
  w.u64(filter.cookie === undefined ? 0n : (filter.cookie_mask ?? 0xffffffffffffffffn))
  putMatch(w, filter.match ?? {})
}

const HEAD = 48

/** Reads one part of the answer into `dump`. */
export function readFlowStats(b: Buffer, dump: { flows: FlowEntry[]; unreadable: UnreadableFlow[] }): void {
  for (let at = 0; at + HEAD <= b.length; ) {
    const length = b.readUInt16BE(at)
    if (length < HEAD || at + length > b.length) throw new OpenFlowError('protocol', `a flow of ${length} bytes`)
    try {
      dump.flows.push(readEntry(b, at, at + length))
    } catch (error) {
      const why = unreadable(error)
      if (why === undefined) throw error
      const [table, priority, cookie] = [b.readUInt8(at + 2), b.readUInt16BE(at + 12), b.readBigUInt64BE(at + 24)]
      dump.unreadable.push({ table, priority, cookie, why })
    }
    at += length
  }
}

function readEntry(b: Buffer, at: number, end: number): FlowEntry {
  const idle = b.readUInt16BE(at + 14)
  const hard = b.readUInt16BE(at + 16)
  const importance = b.readUInt16BE(at + 20)
  const { match, end: next } = readMatch(b, at + HEAD)
  const flow: Flow = {
    table: b.readUInt8(at + 2),
    priority: b.readUInt16BE(at + 12),
    cookie: b.readBigUInt64BE(at + 24),
    ...(idle === 0 ? {} : { idle_timeout: idle }),
    ...(hard === 0 ? {} : { hard_timeout: hard }),
    ...(importance === 0 ? {} : { importance }),
    flags: readFlags(b.readUInt16BE(at + 18)),
    match,
    actions: readInstructions(b, next, end),
  }
  return {
    flow,
    packets: Number(b.readBigUInt64BE(at + 32)),
    bytes: Number(b.readBigUInt64BE(at + 40)),
    duration: b.readUInt32BE(at + 4) + b.readUInt32BE(at + 8) / 1e9,
  }
}

const NO_FLAGS: Flow['flags'] = []

function readFlags(bits: number): Flow['flags'] {
  return bits === 0 ? NO_FLAGS : FLOW_FLAGS.filter((_, i) => (bits & (1 << i)) !== 0)
}

export interface Aggregate {
  readonly packets: number
  readonly bytes: number
  readonly flows: number
}

export function readAggregate(b: Buffer): Aggregate {
  if (b.length < 20) throw new OpenFlowError('protocol', `sums of flows: ${hexOf(b, 0, b.length)}`)
  return { packets: Number(b.readBigUInt64BE(0)), bytes: Number(b.readBigUInt64BE(8)), flows: b.readUInt32BE(16) }
}
