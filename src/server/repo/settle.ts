/** When to act on a changing tree (DESIGN 4.1), as a pure decision: looks at the tree go in, a verdict comes out. */
export interface Look {
  /** Milliseconds of a clock that never goes back. */
  readonly at: number
  /** What git is in the middle of; the tree is then not worth reading. */
  readonly operation?: string
  /** Files that differ from what was last acted on. */
  readonly changed: number
  readonly removed: number
  /** The content differs from that of the look before. */
  readonly moved: boolean
  /** A changed file looks half-written: no line end at its end, or errors of syntax. */
  readonly doubtful: boolean
}

export interface Settling {
  /** When the content was last seen to change. */
  readonly movedAt: number
  /** When git was last seen at work. */
  readonly operationAt?: number
  /** When the first difference since the last act was seen. */
  readonly startedAt: number
}

export type Verdict =
  | { readonly act: true }
  /** `until` undefined: nothing to do until something wakes us. `operation`: git is at work, and may be for days. */
  | { readonly act: false; readonly until?: number; readonly why?: string; readonly operation?: true }

export interface Rules {
  /** Between the two readings of a single changed file. */
  readonly twiceMs: number
  /** Without any change, when more than one file is concerned. */
  readonly quietMs: number
  /** Longest wait for quiet, counted from the first change or from when git was done. */
  readonly capMs: number
  /** Between looks for whether git is done. */
  readonly pollMs: number
}

export const RULES: Rules = { twiceMs: 20, quietMs: 300, capMs: 5000, pollMs: 50 }

/** One look. `state` is undefined while the tree is what was last acted on. */
export function settle(
  state: Settling | undefined,
  look: Look,
  rules: Rules = RULES,
): { readonly state: Settling | undefined; readonly verdict: Verdict } {
  const { at } = look
  if (look.operation !== undefined) {
    const next = { movedAt: at, operationAt: at, startedAt: state?.startedAt ?? at }
    return { state: next, verdict: { act: false, until: at + rules.pollMs, why: look.operation, operation: true } }
  }
  // Back to what it was: nothing to act on. The mark of git goes too, since its operation ended in the tree that we know.
  if (look.changed + look.removed === 0) return { state: undefined, verdict: { act: false } }
  const first = state === undefined
  const next: Settling = { ...state, startedAt: state?.startedAt ?? at, movedAt: first || look.moved ? at : state.movedAt }
  const simple = look.changed === 1 && look.removed === 0 && !look.doubtful && next.operationAt === undefined
  const due = simple ? next.movedAt + rules.twiceMs : calm(next, rules)
  const seenTwice = !first && !look.moved
  if (seenTwice && at >= due) return { state: undefined, verdict: { act: true } }
  const cap = Math.max(next.startedAt, next.operationAt ?? 0) + rules.capMs
  if (at >= cap) return { state: undefined, verdict: { act: true } }
  const why = simple ? 'one file changed: reading it again' : 'waiting for the files to come to rest'
  return { state: next, verdict: { act: false, until: Math.min(Math.max(due, at + 1), cap), why } }
}

function calm(state: Settling, rules: Rules): number {
  return Math.max(state.movedAt, state.operationAt ?? 0) + rules.quietMs
}
