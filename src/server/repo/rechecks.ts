/** Those who want to know, after a time, whether the repo still is what was handed on. */
export interface Rechecks {
  add(due: number, serial: number, answer: (answer: 'same' | 'changed') => void): void
  /** Earliest moment after `now` at which somebody may be answered; infinity without one. Who is overdue waits for the repo to come to rest. */
  due(now: number): number
  /** Somebody's time has come. */
  overdue(now: number): boolean
  /** Answers `changed` to all who asked before state `serial`, and `same` to those whose time has come if the repo is at rest. */
  answer(now: number, serial: number, atRest: boolean): void
  /** Answers `changed` to everybody. */
  end(): void
}

interface Waiting {
  readonly due: number
  readonly serial: number
  readonly answer: (answer: 'same' | 'changed') => void
}

export function rechecks(): Rechecks {
  let waiting: readonly Waiting[] = []
  return {
    add: (due, serial, answer) => {
      waiting = [...waiting, { due, serial, answer }]
    },
    due: (now) => Math.min(...waiting.map((w) => w.due).filter((due) => due > now)),
    overdue: (now) => waiting.some((w) => w.due <= now),
    answer: (now, serial, atRest) => {
      const verdict = (w: Waiting) => (w.serial !== serial ? 'changed' : w.due <= now && atRest ? 'same' : undefined)
      const answered = waiting.filter((w) => verdict(w) !== undefined)
      waiting = waiting.filter((w) => verdict(w) === undefined)
      for (const w of answered) w.answer(verdict(w) ?? 'changed')
    },
    end: () => {
      for (const w of waiting) w.answer('changed')
      waiting = []
    },
  }
}
