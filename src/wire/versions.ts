import { type HelloReply, OLDEST_WIRE_VERSION, type Refusal, type Reply, type Request, type Speaks, WIRE_VERSION } from './messages.ts'

/*
 * How peers of different releases speak to each other. An agent's `hello` says which versions it speaks, in the oldest of them; the reply comes in the newest that both know, and both go on with it.
 * `hello` and `refused` keep their members for ever, so that the two can always tell each other why not.
 *
 * Version 2: a server that is busy says when to come again (`busy`, `retry_after_ms`), and how hellos are to be spread after its next start (`spread_ms`).
 *
 * What only tells something (`commit`, `log` of a report) comes without a new version: who does not know it passes over it.
 */

export const SPEAKS: Speaks = { min: OLDEST_WIRE_VERSION, max: WIRE_VERSION }

/** The newest version that both speak. */
export function commonVersion(a: Speaks, b: Speaks): number | undefined {
  const newest = Math.min(a.max, b.max)
  return newest >= Math.max(a.min, b.min) ? newest : undefined
}

export function isSpoken(speaks: Speaks, v: unknown): boolean {
  return typeof v === 'number' && v >= speaks.min && v <= speaks.max
}

/** `1`, `1 to 2` */
export function speaksText({ min, max }: Speaks): string {
  return min === max ? String(min) : `${min} to ${max}`
}

/** The version to answer a request in. */
export function answerVersion(request: Request): number {
  if (request.type !== 'hello' || request.speaks === undefined) return request.v
  return commonVersion(request.speaks, SPEAKS) ?? request.v
}

/** A reply as a peer of that version knows it: what came later is left out, or said in the words there were. */
export function inVersion(reply: Reply, v: number): Reply {
  if (v >= 2) return { ...reply, v }
  switch (reply.type) {
    case 'hello':
      return helloBefore2(reply, v)
    case 'refused':
      return refusalBefore2(reply, v)
    case 'pull':
    case 'report':
      return { ...reply, v }
  }
}

function helloBefore2({ spread_ms: _, ...reply }: HelloReply, v: number): HelloReply {
  return { ...reply, v }
}

function refusalBefore2({ retry_after_ms: _, ...refusal }: Refusal, v: number): Refusal {
  return { ...refusal, v, code: refusal.code === 'busy' ? 'not-ready' : refusal.code }
}
