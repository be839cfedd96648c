import type { Hello, HelloReply, Refusal, Request } from '../../wire/messages.ts'
import { answerVersion } from '../../wire/versions.ts'
import { refusal } from './pull.ts'
import type { FromClerk } from './rpc-protocol.ts'
import { createTurnstile } from './turnstile.ts'

/** Hellos that the main thread has not answered yet; further ones are told to come again. */
const HELLOS_AT_ONCE = 64
/** From one agent's hello to the next one's, milliseconds: what a hello and the pull after it cost the planner's thread, and as much again for its own work. */
const HELLO_GAP_MS = 2
/** An agent whose hello finds the main thread busy stays away so long, in milliseconds. */
const BUSY_MS = 500
/** The longest that agents stay away while the server reads its state, and that a start of the server is spread over. */
const UNREADY_MAX_MS = 5000
const SPREAD_MAX_MS = 30_000

/** Hands hellos to the main thread, which alone can answer them, at a pace that leaves it time for its work; the others are told when to come. */
export interface Greeter<Envelope> {
  greet(envelope: Envelope, request: Hello): void
  /** The answer to whatever is asked before there is anything to tell: the more hosts ask, the longer they are to stay away. */
  unready(request: Request): Refusal
  /** The main thread's word. */
  greeted(id: number, reply: HelloReply | Refusal): void
}

export interface GreeterDuty<Envelope> {
  readonly clerks: number
  /** How many there are that may come. */
  readonly hosts: () => number
  readonly now: () => number
  readonly tell: (message: FromClerk) => void
  readonly answer: (envelope: Envelope, reply: HelloReply | Refusal, version: number) => void
}

export function createGreeter<Envelope>({ clerks, hosts, now, tell, answer }: GreeterDuty<Envelope>): Greeter<Envelope> {
  const turnstile = createTurnstile(HELLO_GAP_MS * clerks)
  const open = new Map<number, { readonly envelope: Envelope; readonly version: number }>()
  const early = new Set<string>()
  let ids = 0
  return {
    unready(request) {
      early.add(request.host)
      const wait = Math.min(Math.max(BUSY_MS, early.size * HELLO_GAP_MS * clerks), UNREADY_MAX_MS)
      return { ...refusal(request, 'not-ready', 'the server has not read its state yet'), retry_after_ms: wait }
    },
    greet(envelope, request) {
      early.clear()
      const version = answerVersion(request)
      const wait = Math.ceil(open.size >= HELLOS_AT_ONCE ? BUSY_MS : turnstile.wait(request.host, now()))
      if (wait > 0) {
        const busy = refusal(request, 'busy', 'many hosts say hello at once, and this one is told when to come again')
        answer(envelope, { ...busy, retry_after_ms: wait }, version)
        return
      }
      const id = ids++
      open.set(id, { envelope, version })
      tell({ type: 'hello', id, request, version })
    },
    greeted(id, reply) {
      const asked = open.get(id)
      open.delete(id)
      if (asked === undefined) return
      const spread = Math.min(hosts() * HELLO_GAP_MS, SPREAD_MAX_MS)
      answer(asked.envelope, reply.type === 'hello' ? { ...reply, spread_ms: spread } : reply, asked.version)
    },
  }
}
