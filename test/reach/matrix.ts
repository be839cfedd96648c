import { ask } from './ask.ts'
import { describeFrame } from './frame.ts'
import { type Expected, expected } from './model.ts'
import { type Question, questionsOf } from './questions.ts'
import type { Loaded } from './switches.ts'
import { yamlOf } from './written.ts'

/** One question whose answers differ. */
export interface Mismatch {
  readonly question: Question
  readonly expected: Expected
  readonly receivers: readonly string[]
  readonly noted: readonly string[]
  readonly trace: string
}

export interface Matrix {
  readonly asked: number
  /** Of these, how many frames were to reach somebody. */
  readonly reaching: number
  readonly wrong: readonly Mismatch[]
}

/** Questions under way at a time. */
const PARALLEL = 32

/** Asks everything that the world is to be asked; stops soon after `most` answers that differ. */
export async function askAll(loaded: Loaded, most = 1): Promise<Matrix> {
  const questions = questionsOf(loaded.written)
  const wrong: Mismatch[] = []
  let next = 0
  let asked = 0
  let reaching = 0
  const worker = async (turn: number): Promise<void> => {
    while (wrong.length < most) {
      const question = questions[next++]
      if (question === undefined) return
      const wanted = expected(loaded.written, question.from, question.frame)
      const { receivers, noted, text } = await ask(loaded, question, turn)
      asked++
      if (wanted.must.length > 0) reaching++
      if (!isSame(wanted, receivers, noted)) wrong.push({ question, expected: wanted, receivers, noted, trace: text })
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, (_, turn) => worker(turn)))
  return { asked, reaching, wrong }
}

function isSame({ must, may, noted: wanted, loud }: Expected, receivers: readonly string[], noted: readonly string[]): boolean {
  const beyond = receivers.filter((r) => !may.includes(r) || must.includes(r))
  return beyond.join() === must.join() && (loud === true || noted.join() === wanted.join())
}

/** The world, the question, both answers and the trace: everything that is needed to understand it. */
export function explain(loaded: Loaded, { question, expected: wanted, receivers, noted, trace }: Mismatch): string {
  const words = (list: readonly string[]): string => (list.length === 0 ? 'nobody' : list.join(', '))
  return [
    yamlOf(loaded.written),
    `question: ${question.from} sends: ${describeFrame(question.frame)}`,
    `expected: reaches ${words(wanted.must)}${wanted.may.length === 0 ? '' : ` (and maybe ${words(wanted.may)})`}; ${wanted.noted.join(', ')}`,
    `actual:   reaches ${words(receivers)}; ${noted.join(', ')}`,
    trace,
  ].join('\n')
}
