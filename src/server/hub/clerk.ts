import { encodeText } from '../../wire/codec.ts'
import type { Pull, Reply } from '../../wire/messages.ts'
import { answerVersion, inVersion } from '../../wire/versions.ts'
import { createDesk } from './desk.ts'
import { createGate, type GateRefusal } from './gate.ts'
import { createGreeter } from './greeter.ts'
import { createPuller, refusal, tooLargeMessage } from './pull.ts'
import { type Reception, receiveReport } from './reception.ts'
import { createRefusals } from './refusals.ts'
import type { Answered, ClerkOptions, FromClerk, Given, Letter, ToClerk, Want } from './rpc-protocol.ts'

/** Pulls in progress at a time: bounds the memory of a storm. The others stand in line, one place per host. */
const PULLS_AT_ONCE = 32

/** Answers what a share of the hosts ask: proves who they are, keeps their counts, order and scopes. Has no socket; a clerk that is stuck holds up its own hosts only. */
export interface Clerk {
  take(letter: Letter): void
  hear(message: ToClerk): void
  close(): void
}

type Envelope = Letter['envelope']

export function createClerk(options: ClerkOptions, tell: (message: FromClerk) => void, answer: (answered: Answered) => void): Clerk {
  const { epoch, secured, floor, clerks } = options
  const refusals = createRefusals()
  const refuse = (refused: GateRefusal): void => void refusals.note({ ...refused, count: 1, last: new Date().toISOString() })
  const gate = createGate('rpc', secured, floor)
  const reports: Reception = {
    gate: createGate('reports', secured, floor),
    desk: createDesk(epoch),
    forward: (report, at) => tell({ type: 'report', report, at }),
    refuse,
  }
  const wants = createWants(tell)
  const puller = createPuller(epoch, wants.fetch)
  const reply = (envelope: Envelope, message: Reply, version: number): void =>
    answer({ door: 'rpc', envelope, text: encodeText(inVersion(message, version)) })
  const greeter = createGreeter<Envelope>({ clerks, hosts: () => puller.hosts, now: () => performance.now(), tell, answer: reply })
  const line = createLine(async (envelope, request) => {
    const made = await puller.pull(request)
    if (typeof made === 'string') answer({ door: 'rpc', envelope, text: made })
    else reply(envelope, made, request.v)
    if (typeof made !== 'string' && made.message === tooLargeMessage(request.host)) tell({ type: 'warn', message: made.message })
  })
  let ready = false
  const timer = setInterval(() => {
    const refused = refusals.drain()
    if (refused.length > 0) tell({ type: 'refused', refused })
  }, options.heartbeatMs)

  function takeRpc({ envelope, body }: Letter): void {
    const admitted = gate.admit(body)
    if (!admitted.ok) {
      if (admitted.refused !== undefined) refuse(admitted.refused)
      answer({ door: 'rpc', envelope, text: encodeText(admitted.reply) })
      return
    }
    const { message } = admitted
    const version = answerVersion(message)
    if (message.type === 'report') reply(envelope, refusal(message, 'malformed', 'report belongs to the reports endpoint'), version)
    else if (!ready) reply(envelope, greeter.unready(message), version)
    else if (message.type === 'hello') greeter.greet(envelope, message)
    else line.add(envelope, message)
  }

  return {
    take(letter) {
      if (letter.door === 'rpc') takeRpc(letter)
      else answer({ door: 'reports', envelope: letter.envelope, text: receiveReport(reports, letter.body) })
    },
    hear(message) {
      switch (message.type) {
        case 'keys':
          gate.setKeys(message.keyring)
          return reports.gate.setKeys(message.keyring)
        case 'targets':
          ready = true
          puller.setTargets(message.targets)
          return reports.desk.setTargets(message.targets)
        case 'greeted':
          return greeter.greeted(message.id, message.reply)
        case 'given':
          return wants.given(message.given)
        case 'ask':
          return reports.desk.openAsk(message.ask)
        case 'close-ask':
          return reports.desk.closeAsk(message.host, message.id)
        case 'settled':
          return reports.desk.settled(message.host, message.settled)
        case 'close':
          return clearInterval(timer)
      }
    },
    close: () => clearInterval(timer),
  }
}

/** What the main thread was asked for and has not given yet. */
function createWants(tell: (message: FromClerk) => void): {
  fetch(want: Omit<Want, 'id'>): Promise<Given>
  given(given: Given): void
} {
  const open = new Map<number, (given: Given) => void>()
  let ids = 0
  return {
    fetch(want) {
      return new Promise((resolve) => {
        const id = ids++
        open.set(id, resolve)
        tell({ type: 'want', want: { ...want, id } })
      })
    },
    given(given) {
      open.get(given.id)?.(given)
      open.delete(given.id)
    },
  }
}

/** Pulls in order of arrival. A host repeats a request when the answer is late: the newer one takes the older one's place, whose answer it would throw away. */
function createLine(work: (envelope: Envelope, request: Pull) => Promise<void>): { add(envelope: Envelope, request: Pull): void } {
  const waiting = new Map<string, { readonly envelope: Envelope; readonly request: Pull }>()
  let working = 0

  async function one(envelope: Envelope, request: Pull): Promise<void> {
    await work(envelope, request)
    working--
    advance()
  }

  function advance(): void {
    for (const [host, { envelope, request }] of waiting) {
      if (working >= PULLS_AT_ONCE) return
      waiting.delete(host)
      working++
      void one(envelope, request)
    }
  }

  return {
    add(envelope, request) {
      waiting.set(request.host, { envelope, request })
      advance()
    },
  }
}
