import type { Fact, Reader } from './facts.ts'
import type { Run } from './run.ts'

/** Replaces what a reader has read. Where nothing changed, nothing is written. */
export function recordReads(run: Run, reader: Reader, reads: Iterable<Fact>): void {
  const { state } = run
  const before = state.reads.get(reader) ?? NONE
  const after = [...reads]
  if (before === NONE) {
    for (const fact of after) state.readers.set(fact, reader, true)
    if (after.length > 0) state.reads.set(reader, oneList(run, after))
    return
  }
  if (before.length === after.length && after.every((fact, i) => fact === before[i])) return
  for (const fact of before) if (!after.includes(fact)) state.readers.delete(fact, reader)
  for (const fact of after) if (!before.includes(fact)) state.readers.set(fact, reader, true)
  if (after.length === 0) state.reads.delete(reader)
  else state.reads.set(reader, oneList(run, after))
}

const NONE: readonly Fact[] = []

/** The same things are read by many: equal lists are kept once, and so is each fact. */
function oneList(run: Run, facts: readonly Fact[]): readonly Fact[] {
  const text = facts.join('\n')
  const known = run.lists.get(text)
  if (known !== undefined) return known
  const list = facts.map((fact) => one(run, fact))
  run.lists.set(text, list)
  return list
}

function one(run: Run, fact: Fact): Fact {
  const known = run.facts.get(fact)
  if (known !== undefined) return known
  run.facts.set(fact, fact)
  return fact
}
