import type { Fact, Reader } from './facts.ts'
import type { Run } from './run.ts'

/** Replaces what a reader has read. Where nothing changed, nothing is written. */
export function recordReads(run: Run, reader: Reader, reads: Iterable<Fact>): void {
  const { state } = run
  const before = state.reads.get(reader) ?? []
  const after = [...reads].sort()
  if (before.length === after.length && after.every((fact, i) => fact === before[i])) return
  const now = new Set(after)
  const was = new Set(before)
  for (const fact of before) if (!now.has(fact)) state.readers.delete(fact, reader)
  for (const fact of after) if (!was.has(fact)) state.readers.set(fact, reader, true)
  if (after.length === 0) state.reads.delete(reader)
  else
    state.reads.set(
      reader,
      after.map((fact) => one(run, fact)),
    )
}

/** The same fact is read by many: it is kept as one string. */
function one(run: Run, fact: Fact): Fact {
  const known = run.facts.get(fact)
  if (known !== undefined) return known
  run.facts.set(fact, fact)
  return fact
}
