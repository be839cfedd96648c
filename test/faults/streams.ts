import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandAt } from '../../src/lab/exec.ts'
import { nowMs } from '../../src/lab/guest/clock.ts'
import type { FlowEnd, StreamReport } from '../../src/lab/guest/protocol.ts'
import type { Guests } from '../../src/lab/guests.ts'
import type { Hole, LossReport } from '../../src/lab/loss.ts'
import type { Rig } from './rig.ts'
import { port } from './rig.ts'

/** Who talks to whom all the time, by what. Names of ports of the project `default`. */
export interface Talk {
  readonly from: string
  readonly to: string
  readonly address: string
  /** `new`: UDP from a port of its own each time, so that no packet belongs to a connection that is known. */
  readonly by: 'udp' | 'new' | 'ping'
  readonly pps: number
  /** Of UDP; the probe port if left out. */
  readonly port?: number
}

export function talkText({ from, to, address, by, port: to_port }: Talk): string {
  return `${by}${to_port === undefined ? '' : ` ${to_port}`} ${from} → ${to}${address.includes(':') ? ' by IPv6' : ''}`
}

/** What became of one of them. `sent` and `lost` are packets; of a ping, questions. */
export interface Told {
  readonly talk: Talk
  readonly sent: number
  readonly lost: number
  readonly holes: readonly Hole[]
}

interface Running {
  readonly talk: Talk
  readonly end: () => Promise<() => Promise<Told>>
}

let lastNumber = 1_000_000

/** Starts all of them; resolves when each runs. `end`: what each has lost, and when. */
export async function startTalks(rig: Rig, guests: Guests, talks: readonly Talk[]): Promise<{ end(): Promise<readonly Told[]> }> {
  await guests.ready(new Set(talks.flatMap((t) => [port(t.from), port(t.to)])))
  const running: Running[] = []
  for (const talk of talks) running.push(talk.by === 'ping' ? startPing(rig, talk) : await startUdp(guests, talk))
  return {
    end: async () => {
      const ended = await Promise.all(running.map((r) => r.end()))
      // Packets still on the way when the senders stopped.
      await sleep(100)
      return await Promise.all(ended.map((count) => count()))
    },
  }
}

async function startUdp(guests: Guests, talk: Talk): Promise<Running> {
  const flow = lastNumber++
  const { address, pps, by } = talk
  const to = talk.port === undefined ? {} : { port: talk.port }
  await guests.ask(port(talk.from), { op: 'flow-send', flow, address, pps, ...to, fresh: by === 'new' })
  const count = async (ended: FlowEnd): Promise<Told> => {
    const report: LossReport = await guests.ask(port(talk.to), { op: 'flow-count', flow, ended })
    if (ended.errors.length > 0) throw new Error(`${talkText(talk)}: ${ended.errors.join(', ')}`)
    return { talk, sent: report.sent, lost: report.lost - report.receiver_dropped, holes: report.holes }
  }
  return {
    talk,
    end: async () => {
      const ended = await guests.ask(port(talk.from), { op: 'flow-end', flow })
      return async () => await count(ended)
    },
  }
}

function startPing(rig: Rig, talk: Talk): Running {
  const { argv } = commandAt(rig.lab, { port: port(talk.from) }, ['ping', '-n', '-i', String(1 / talk.pps), talk.address])
  const [file = '', ...args] = argv
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const answers: { readonly seq: number; readonly at: number }[] = []
  const began = nowMs()
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()))
  let rest = ''
  let turns = 0
  child.stdout.on('data', (text: Buffer) => {
    const lines = (rest + text.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const seq = Number(/icmp_seq=(\d+) .*time=/.exec(line)?.[1] ?? Number.NaN)
      if (Number.isNaN(seq)) continue
      // 16 bits on the wire.
      if (seq + 32_768 < (answers.at(-1)?.seq ?? 0) - turns * 65_536) turns++
      answers.push({ seq: seq + turns * 65_536, at: nowMs() })
    }
  })
  return {
    talk,
    end: async () => {
      child.kill('SIGINT')
      await closed
      return async () => toldByPing(talk, answers, began)
    },
  }
}

/** What was asked after the last answer may have been on its way still. */
function toldByPing(talk: Talk, answers: readonly { readonly seq: number; readonly at: number }[], began: number): Told {
  const holes: Hole[] = []
  let last = { seq: 0, at: began }
  for (const next of [...answers].sort((a, b) => a.seq - b.seq)) {
    if (next.seq > last.seq + 1) holes.push({ lost: next.seq - last.seq - 1, from_ms: last.at, to_ms: next.at })
    last = next
  }
  const silent = nowMs() - last.at
  const missed = Math.floor((silent * talk.pps) / 1000)
  if (silent > 1000) holes.push({ lost: missed, from_ms: last.at, to_ms: nowMs() })
  return { talk, sent: last.seq, lost: holes.reduce((sum, h) => sum + h.lost, 0), holes }
}

/** Checked TCP transfers that go on for as long as `end` is not called: each is one connection. */
export async function startStreams(
  guests: Guests,
  pairs: readonly { readonly from: string; readonly to: string; readonly address: string }[],
  bytesPerSecond: number,
): Promise<{ end(): Promise<readonly StreamReport[]> }> {
  const first = lastNumber
  lastNumber += pairs.length
  await guests.ready(new Set(pairs.flatMap((p) => [port(p.from), port(p.to)])))
  for (const [n, { from, address }] of pairs.entries())
    await guests.ask(port(from), { op: 'stream-start', stream: first + n, address, bytes_per_s: bytesPerSecond })
  return {
    end: async () =>
      await Promise.all(
        pairs.map(async ({ from }, n) => await guests.ask(port(from), { op: 'stream-end', stream: first + n, timeout_ms: 10_000 })),
      ),
  }
}
