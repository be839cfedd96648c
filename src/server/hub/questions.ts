import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../../model/brand.ts'
import { type Ask, OLDEST_WIRE_VERSION, type Question, type Report } from '../../wire/messages.ts'
import type { ToFront } from './front-protocol.ts'
import type { ToClerk } from './rpc-protocol.ts'

export type Answer =
  | { readonly ok: true; readonly data: JsonObject }
  | { readonly ok: false; readonly code: 'timeout' | 'failed' | 'closed' | 'unknown-host'; readonly data: JsonObject }

/** Questions that hosts were asked and have not answered. Each goes out by PUB at once, and with the replies to reports until it is answered. */
export interface Questions {
  ask(host: string, question: Question, timeoutMs: number): Promise<Answer>
  /** Settles the question that the report answers, if any. */
  take(report: Report): void
  /** Ends all that are open. */
  close(): void
}

export function createQuestions(tell: (message: ToFront & ToClerk) => void): Questions {
  const open = new Map<string, (answer: Answer) => void>()
  return {
    ask(host, question, timeoutMs) {
      const ask: Ask = { v: OLDEST_WIRE_VERSION, type: 'ask', id: randomUUID(), host, question }
      return new Promise((resolve) => {
        const settle = (answer: Answer): void => {
          clearTimeout(timer)
          open.delete(ask.id)
          tell({ type: 'close-ask', host, id: ask.id })
          resolve(answer)
        }
        const timer = setTimeout(() => settle({ ok: false, code: 'timeout', data: {} }), timeoutMs)
        open.set(ask.id, settle)
        tell({ type: 'ask', ask })
      })
    },
    take({ answer }) {
      if (answer === undefined) return
      open.get(answer.id)?.(answer.ok ? { ok: true, data: answer.data } : { ok: false, code: 'failed', data: answer.data })
    },
    close() {
      for (const settle of [...open.values()]) settle({ ok: false, code: 'closed', data: {} })
    },
  }
}
