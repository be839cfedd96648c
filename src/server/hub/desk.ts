import { type Ask, type Refusal, type Report, type ReportReply, WIRE_VERSION } from '../../wire/messages.ts'
import { commitOf, type HostTarget } from './ledger.ts'
import { unknownHostMessage } from './security.ts'

/** Reports of one host that wait for the server's main thread; beyond it they are acknowledged, dropped, and made good by a full one. */
const BACKLOG = 4

export interface Received {
  readonly reply: ReportReply | Refusal
  /** To be handed to the server; undefined for a repetition, a stranger, or while the server is far behind. */
  readonly forward: Report | undefined
}

/**
 * Answers reports without asking anybody: it runs beside the heartbeats, on a thread that neither a pull nor a plan can hold up. No I/O.
 * It knows every host's target, and of each agent only whether the server's picture of it is whole.
 */
export interface Desk {
  receive(report: Report): Received
  setTargets(targets: Iterable<readonly [string, HostTarget]>): void
  openAsk(ask: Ask): void
  closeAsk(host: string, id: string): void
  /** The server dealt with one forwarded report. */
  settled(host: string, settled: Settled): void
}

/** What became of a report of one life of an agent. `lost`: the next reply asks for everything. `against`: its next report is refused with this. */
export interface Settled {
  readonly epoch: string
  readonly outcome: 'kept' | 'lost' | { readonly against: string }
}

interface Agent {
  /** The agent's epoch for which the server's picture is whole; undefined: ask for a full report. */
  whole: string | undefined
  waiting: number
  last: { readonly id: string; readonly reply: ReportReply } | undefined
  /** A life that is not listened to; the server hears its reports all the same, and says when that changes. */
  turnedAway: { readonly epoch: string; readonly why: string } | undefined
}

export function createDesk(epoch: string): Desk {
  const targets = new Map<string, HostTarget>()
  const agents = new Map<string, Agent>()
  const asks = new Map<string, Ask[]>()
  let ready = false

  function agentOf(host: string): Agent {
    let agent = agents.get(host)
    if (agent === undefined) agents.set(host, (agent = { whole: undefined, waiting: 0, last: undefined, turnedAway: undefined }))
    return agent
  }

  /** Books the report and says whether it goes on to the server. */
  function accept(agent: Agent, report: Report): boolean {
    // An answer is waited for by somebody and comes once: it is never dropped.
    const room = agent.waiting < BACKLOG || report.answer !== undefined
    if (!room) agent.whole = undefined
    else if (report.full) agent.whole = report.epoch
    else if (agent.whole !== report.epoch) agent.whole = undefined
    if (room) agent.waiting++
    return room
  }

  return {
    receive(report) {
      const target = targets.get(report.host)
      if (target === undefined) return { reply: strangerReply(report, ready), forward: undefined }
      const agent = agentOf(report.host)
      if (agent.turnedAway?.epoch === report.epoch) return turnAway(agent, report, agent.turnedAway.why)
      if (agent.last?.id === report.id) return { reply: agent.last.reply, forward: undefined }
      const forward = accept(agent, report) ? report : undefined
      const open = asks.get(report.host)
      const reply: ReportReply = {
        v: WIRE_VERSION,
        id: report.id,
        type: 'report',
        epoch,
        seq: target.seq,
        revision: target.revision,
        digest: target.digest,
        ...commitOf(target),
        // While the server is behind, a full report would only be dropped too.
        want_full: agent.whole === undefined && agent.waiting < BACKLOG,
        ...(open === undefined ? {} : { asks: open }),
      }
      agent.last = { id: report.id, reply }
      return { reply, forward }
    },
    setTargets(entries) {
      ready = true
      for (const [host, target] of entries) targets.set(host, target)
    },
    openAsk(ask) {
      asks.set(ask.host, [...(asks.get(ask.host) ?? []), ask])
    },
    closeAsk(host, id) {
      const left = (asks.get(host) ?? []).filter((ask) => ask.id !== id)
      if (left.length === 0) asks.delete(host)
      else asks.set(host, left)
    },
    settled(host, { epoch, outcome }) {
      const agent = agentOf(host)
      agent.waiting = Math.max(0, agent.waiting - 1)
      if (outcome === 'lost') agent.whole = undefined
      else if (outcome !== 'kept') agent.turnedAway = { epoch, why: outcome.against }
      else if (agent.turnedAway?.epoch === epoch) agent.turnedAway = undefined
    },
  }
}

function turnAway(agent: Agent, report: Report, message: string): Received {
  const room = agent.waiting < BACKLOG
  if (room) agent.waiting++
  return { reply: { v: WIRE_VERSION, id: report.id, type: 'refused', code: 'not-ready', message }, forward: room ? report : undefined }
}

function strangerReply(report: Report, ready: boolean): Refusal {
  const base = { v: WIRE_VERSION, id: report.id, type: 'refused' } as const
  return ready
    ? { ...base, code: 'unknown-host', message: unknownHostMessage(report.host) }
    : { ...base, code: 'not-ready', message: 'the server has not read its state yet' }
}
