import { randomUUID } from 'node:crypto'
import { type Backoff, backoffDelay } from '../../src/lib/backoff.ts'
import type { JsonObject } from '../../src/model/brand.ts'
import { type Ask, OLDEST_WIRE_VERSION, type Report, type ReportReply, type Speaks } from '../../src/wire/messages.ts'
import type { Log } from '../log.ts'
import { NorthboundError } from './error.ts'
import type { Identity } from './identity.ts'
import type { LogOutbox } from './log-outbox.ts'
import { afterLoss, BLANK_BOOK, type Book, nextPage, type Snapshot } from './report-core.ts'
import { expectReply, openRequester, type Requester } from './requester.ts'

export interface ReporterOptions {
  readonly host: string
  readonly epoch: string
  /** With keys. */
  readonly identity?: Identity | undefined
  readonly speaks: Speaks
  readonly requestMs: number
  readonly backoff: Backoff
  readonly random: () => number
  readonly log: Log
  readonly snapshot: () => Snapshot
  readonly logged: Pick<LogOutbox, 'next' | 'acknowledge'>
  readonly onReply: (reply: ReportReply) => void
  readonly onAsk: (ask: Ask) => void
  /** The server does not take reports of this agent. */
  readonly onRefused: () => void
}

export type AskAnswer = { readonly id: string; readonly ok: boolean; readonly data: JsonObject }

/** Tells the server what this host holds: at once when something changed, and every interval. Never waited for by anybody. */
export interface Reporter {
  /** Where to; called again when the server moved or was started again (another `epoch`), and reports at once. */
  connect(server: { readonly reports: string; readonly heartbeatMs: number; readonly epoch: string; readonly wire: number }): void
  /** Something changed: report now. Calls during a report make one more. */
  now(): void
  answer(answer: AskAnswer): void
  close(): Promise<void>
}

export function openReporter(options: ReporterOptions): Reporter {
  let book: Book = BLANK_BOOK
  let link: { readonly endpoint: string; readonly epoch: string; readonly requester: Requester } | undefined
  let intervalMs = 1000
  let wire = OLDEST_WIRE_VERSION
  let due = false
  let failures = 0
  let fullRefused = false
  let closed = false
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let answers: AskAnswer[] = []

  function schedule(ms: number): void {
    clearTimeout(timer)
    if (!closed) timer = setTimeout(now, ms)
  }

  function now(): void {
    due = true
    if (running !== undefined || closed || link === undefined) return
    running = loop().finally(() => {
      running = undefined
      if (due && !closed) now()
    })
  }

  async function loop(): Promise<void> {
    while (due && !closed && link !== undefined) {
      due = false
      const { requester } = link
      try {
        due = (await send(requester)) || due || answers.length > 0
        failures = 0
        // A tenth less at random, so that agents started together do not stay together.
        schedule(intervalMs * (1 - 0.1 * options.random()))
      } catch (error) {
        if (requester !== link.requester) {
          due = true
          continue
        }
        failures++
        if (error instanceof NorthboundError && (error.code === 'refused' || error.code === 'not-ready')) options.onRefused()
        options.log('debug', `report not acknowledged: ${String(error)}`, { attempt: failures })
        due = false
        return schedule(Math.min(backoffDelay(options.backoff, failures, options.random()), intervalMs * 3))
      }
    }
  }

  /** One page; true when another is to follow at once. */
  async function send(requester: Requester): Promise<boolean> {
    const page = nextPage(book, options.snapshot())
    const [answer] = answers
    const log = options.logged.next()
    const report: Report = {
      v: wire,
      type: 'report',
      id: randomUUID(),
      host: options.host,
      epoch: options.epoch,
      ...page.body,
      ...(answer === undefined ? {} : { answer }),
      ...(log === undefined ? {} : { log }),
    }
    const answered = await requester.request(report).catch((error: unknown) => {
      book = afterLoss(book, page.body)
      throw error
    })
    const reply = expectReply(answered, 'report')
    answers = answers.filter((a) => a !== answer)
    // A server that refuses even a full report is behind: it asks again at the next interval, not in a circle.
    const again = reply.want_full && !(page.body.full && fullRefused)
    fullRefused = reply.want_full && page.body.full
    book = reply.want_full ? BLANK_BOOK : page.after
    options.onReply(reply)
    for (const ask of reply.asks ?? []) options.onAsk(ask)
    const moreLogged = log !== undefined && options.logged.acknowledge(log)
    return page.more || again || moreLogged
  }

  return {
    connect({ reports, heartbeatMs, epoch, wire: agreed }) {
      const { identity, requestMs, speaks } = options
      intervalMs = heartbeatMs
      wire = agreed
      // A report that was on its way to a server that is gone would be waited for in vain: a new life of the server gets a new socket.
      if (link?.endpoint !== reports || link.epoch !== epoch) {
        link?.requester.close()
        const proof = identity && ({ identity, door: 'reports' } as const)
        link = { endpoint: reports, epoch, requester: openRequester(reports, requestMs, proof, speaks) }
      }
      failures = 0
      now()
    },
    now,
    answer(answer) {
      answers.push(answer)
      now()
    },
    async close() {
      closed = true
      clearTimeout(timer)
      link?.requester.close()
      await running
    },
  }
}
