import { mapBounded } from '../lib/bounded.ts'
import { displayKey, type Key } from '../model/key.ts'
import type { ProbeAnswer } from './guest/protocol.ts'
import { Guests } from './guests.ts'
import { findGuest, type Lab } from './lab.ts'
import { PROBE_KINDS, type ProbeKind, probe } from './probe.ts'

/** What is expected between two guests. */
export interface ExpectedPair {
  readonly from: Key
  readonly to: Key
  /** True: every probe must be answered. False: none may be. */
  readonly reach: boolean
}

export interface ProbeResult extends ProbeAnswer {
  readonly from: Key
  readonly to: Key
  readonly address: string
  readonly kind: ProbeKind
  readonly expected: boolean
}

export interface Proof {
  readonly results: readonly ProbeResult[]
  /** Those whose answer is not what was expected. */
  readonly wrong: readonly ProbeResult[]
  readonly ms: number
  /** One line for people. */
  readonly summary: string
}

export interface ProveOptions {
  readonly kinds?: readonly ProbeKind[]
  /** How long an answer may take; 3 s if left out. */
  readonly timeout_ms?: number
  /** How long is waited for an answer that should not come; 1 s if left out. */
  readonly silence_ms?: number
  readonly onResult?: (result: ProbeResult) => void
}

/** A ping is a process of its own, and vswitchd wants a share of the machine. */
const PARALLEL = 12
const PARALLEL_SILENT = 64

/** Every guest of the lab with every other one: the pairs for `proveAll`. */
export function allPairs(lab: Lab, reach: (from: Key, to: Key) => boolean): ExpectedPair[] {
  const ports = lab.spec.guests.map((g) => g.port)
  return ports.flatMap((from) => ports.filter((to) => to !== from).map((to) => ({ from, to, reach: reach(from, to) })))
}

/**
 * Asks every pair with every kind of probe, on every address of the target whose family the source has. Nothing is taken for granted: a
 * pair without a common family counts as wrong when it should reach.
 */
export async function proveAll(lab: Lab, pairs: readonly ExpectedPair[], options: ProveOptions = {}): Promise<Proof> {
  const start = performance.now()
  const guests = new Guests(lab)
  try {
    await guests.ready(new Set(pairs.flatMap((p) => [p.from, p.to])))
    const jobs = pairs.flatMap((pair) => jobsOf(lab, pair, options.kinds ?? PROBE_KINDS))
    const ask = async (job: Job): Promise<ProbeResult> => {
      const timeout = job.expected ? (options.timeout_ms ?? 3000) : (options.silence_ms ?? 1000)
      const answer: ProbeAnswer =
        job.address === ''
          ? { ok: false, ms: 0, detail: 'no common address family' }
          : await probe(guests, job.from, job.address, job.kind, timeout)
      const result = { ...job, ...answer }
      options.onResult?.(result)
      return result
    }
    const answered = await mapBounded(
      jobs.filter((j) => j.expected),
      PARALLEL,
      ask,
    )
    const silent = await mapBounded(
      jobs.filter((j) => !j.expected),
      PARALLEL_SILENT,
      ask,
    )
    return judge([...answered, ...silent], pairs, performance.now() - start)
  } finally {
    await guests.close()
  }
}

interface Job {
  readonly from: Key
  readonly to: Key
  readonly address: string
  readonly kind: ProbeKind
  readonly expected: boolean
}

function jobsOf(lab: Lab, pair: ExpectedPair, kinds: readonly ProbeKind[]): Job[] {
  const families = new Set(findGuest(lab, pair.from).addresses.map((a) => a.includes(':')))
  const addresses = findGuest(lab, pair.to)
    .addresses.filter((a) => families.has(a.includes(':')))
    .map((a) => a.replace(/\/.*$/, ''))
  if (addresses.length === 0 && pair.reach) addresses.push('')
  return addresses.flatMap((address) => kinds.map((kind): Job => ({ from: pair.from, to: pair.to, address, kind, expected: pair.reach })))
}

function judge(results: readonly ProbeResult[], pairs: readonly ExpectedPair[], ms: number): Proof {
  const wrong = results.filter((r) => r.ok !== r.expected)
  return { results, wrong, ms, summary: summarise(results, wrong, pairs, ms) }
}

const KIND_WORDS: Readonly<Record<ProbeKind, string>> = { ping: 'ping', tcp: 'TCP with payload', udp: 'UDP with payload' }

function summarise(results: readonly ProbeResult[], wrong: readonly ProbeResult[], pairs: readonly ExpectedPair[], ms: number): string {
  const bad = new Set(wrong.map((r) => `${r.from} ${r.to}`))
  const count = (reach: boolean): string => {
    const list = pairs.filter((p) => p.reach === reach)
    return `${list.filter((p) => !bad.has(`${p.from} ${p.to}`)).length} of ${list.length}`
  }
  const kinds = PROBE_KINDS.filter((k) => results.some((r) => r.kind === k)).map((k) => KIND_WORDS[k])
  const families = [results.some((r) => r.address.includes('.')) ? 'IPv4' : '', results.some((r) => r.address.includes(':')) ? 'IPv6' : '']
  const parts: string[] = []
  if (pairs.some((p) => p.reach)) parts.push(`${count(true)} pairs reach each other`)
  if (pairs.some((p) => !p.reach)) parts.push(`${count(false)} pairs that must not, do not`)
  return `${parts.join('; ')} (${kinds.join(', ')}; ${families.filter((f) => f !== '').join(' and ')}; ${results.length} probes in ${(ms / 1000).toFixed(1)} s)`
}

/** One line per wrong answer, sorted. */
export function describeWrong(proof: Proof): string[] {
  return proof.wrong
    .map(
      (r) =>
        `${displayKey(r.from)} → ${displayKey(r.to)} ${r.address} ${r.kind}: ${r.ok ? 'answered, and must not be' : (r.detail ?? 'no answer')}`,
    )
    .sort()
}
