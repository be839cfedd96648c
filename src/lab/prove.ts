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
  /** True: every probe must be answered. False: none may be. Else: those that pass. */
  readonly reach: Reach
}

export type Reach = boolean | Passes
/** Whether a question of that kind to that address, and its answer, may pass. */
export type Passes = (address: string, kind: ProbeKind) => boolean

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
export function allPairs(lab: Lab, reach: (from: Key, to: Key) => Reach): ExpectedPair[] {
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
    return judge([...answered, ...silent], performance.now() - start)
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
  const { from, to, reach } = pair
  if (addresses.length === 0 && reach === true) addresses.push('')
  const expected = (address: string, kind: ProbeKind): boolean => (typeof reach === 'boolean' ? reach : reach(address, kind))
  return addresses.flatMap((address) => kinds.map((kind): Job => ({ from, to, address, kind, expected: expected(address, kind) })))
}

function judge(results: readonly ProbeResult[], ms: number): Proof {
  const wrong = results.filter((r) => r.ok !== r.expected)
  return { results, wrong, ms, summary: summarise(results, wrong, ms) }
}

/** Pairs by what was expected of them: everything, some of it, nothing. */
export function pairsOf(results: readonly ProbeResult[]): {
  readonly all: Set<string>
  readonly some: Set<string>
  readonly none: Set<string>
} {
  const asked = new Map<string, Set<boolean>>()
  for (const { from, to, expected } of results) {
    const of = asked.get(`${from} ${to}`) ?? new Set()
    asked.set(`${from} ${to}`, of.add(expected))
  }
  const those = (holds: (of: Set<boolean>) => boolean): Set<string> =>
    new Set([...asked].filter(([, of]) => holds(of)).map(([pair]) => pair))
  return {
    all: those((of) => !of.has(false)),
    some: those((of) => of.size === 2),
    none: those((of) => !of.has(true)),
  }
}

const KIND_WORDS: Readonly<Record<ProbeKind, string>> = { ping: 'ping', tcp: 'TCP with payload', udp: 'UDP with payload' }

function summarise(results: readonly ProbeResult[], wrong: readonly ProbeResult[], ms: number): string {
  const bad = new Set(wrong.map((r) => `${r.from} ${r.to}`))
  const { all, some, none } = pairsOf(results)
  const count = (pairs: ReadonlySet<string>): string => `${[...pairs].filter((p) => !bad.has(p)).length} of ${pairs.size}`
  const kinds = PROBE_KINDS.filter((k) => results.some((r) => r.kind === k)).map((k) => KIND_WORDS[k])
  const families = [results.some((r) => r.address.includes('.')) ? 'IPv4' : '', results.some((r) => r.address.includes(':')) ? 'IPv6' : '']
  const parts: string[] = []
  if (all.size > 0) parts.push(`${count(all)} pairs reach each other`)
  if (some.size > 0) parts.push(`${count(some)} pairs as far as their security groups let them`)
  if (none.size > 0) parts.push(`${count(none)} pairs that must not, do not`)
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
