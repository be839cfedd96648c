import type { KindDefinition } from '../../kinds/kind.ts'
import { sameJson } from '../../lib/json.ts'
import type { Finding } from '../../model/issue.ts'
import { displayKey, type Key } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import { type Asking, DEFERRED } from './asker.ts'
import { type Fact, factKey, isPresentFact } from './facts.ts'
import { startAsking } from './pools.ts'
import { recordReads } from './reads.ts'
import { referenceFindings } from './references.ts'
import { idOf, type Run } from './run.ts'
import { offerUnwritten, settle } from './settle.ts'
import { makeView, SET_ASIDE } from './view.ts'
import { wakeReaders } from './wake-readers.ts'

interface Outcome {
  /** Absent when in error or set aside. */
  readonly resource?: Resource
  readonly findings: readonly Finding[]
}

const SILENT: Outcome = { findings: [] }

/** Checks and resolves one resource. True when it must be asked again with `fresh`, after everybody's claims. */
export function evaluate(run: Run, key: Key, fresh: boolean): boolean {
  const declared = run.state.declared.get(key)
  const kind = declared === undefined ? undefined : run.kinds.byName.get(declared.kind)
  if (declared === undefined || kind === undefined) return false
  const reads = new Set<Fact>()
  const asking = startAsking(run, key, reads, fresh)
  try {
    const outcome = judge(run, kind, declared, reads, asking)
    recordReads(run, key, condensed(reads))
    commit(run, key, outcome)
  } catch (thrown) {
    if (thrown === DEFERRED) {
      settle(run, asking, false)
      offerUnwritten(run, key, asking.asked)
      return true
    }
    if (thrown !== SET_ASIDE) throw thrown
    recordReads(run, key, condensed(reads))
    commit(run, key, SILENT)
  }
  return false
}

/** Who read the value knows whether there is one. */
function condensed(reads: Set<Fact>): Set<Fact> {
  for (const fact of reads) {
    const key = isPresentFact(fact) ? factKey(fact) : undefined
    if (key !== undefined && reads.has(key)) reads.delete(fact)
  }
  return reads
}

function judge(run: Run, kind: KindDefinition, declared: Declared, reads: Set<Fact>, asking: Asking): Outcome {
  const before = [...idFindings(run, declared), ...referenceFindings(run, declared, reads)]
  if (before.length > 0) return { findings: before }
  const view = makeView(run, declared, reads, false)
  const checked = kind.check(declared, view)
  if (checked.some(isError)) return { findings: checked }
  const { spec, findings: resolved } = kind.resolve(declared, view, asking.pools)
  settle(run, asking, true)
  const findings = [...checked, ...resolved]
  if (resolved.some(isError)) return { findings }
  const { key, project, name } = declared
  return { findings, resource: { key, kind: declared.kind, project, name, id: idOf(run, declared), spec } }
}

function isError(finding: Finding): boolean {
  return (finding.severity ?? 'error') === 'error'
}

/** A UUID names one thing; the first by identity keeps it. */
function idFindings(run: Run, declared: Declared): Finding[] {
  const id = idOf(run, declared)
  const first = run.state.ids.get(id)?.[0]
  if (first === undefined || first === declared.key) return []
  const message = `${displayKey(declared.key)} has the id ${id}, which ${displayKey(first)} has too`
  const related = [{ message: `${displayKey(first)} has it too`, key: first, at: ['id'] }]
  return [
    {
      code: 'E0312',
      message,
      at: declared.spec['id'] === undefined ? [] : ['id'],
      related,
      hint: 'give one of the two another id, or none',
    },
  ]
}

/** Writes the outcome down. A value that stays the same keeps its object and wakes nobody. */
function commit(run: Run, key: Key, outcome: Outcome): void {
  const { resources, findings } = run.state
  if (outcome.findings.length > 0) findings.set(key, outcome.findings)
  else findings.delete(key)
  run.lower.add(key)
  const old = resources.get(key)
  const next = outcome.resource
  if (old === next || (old !== undefined && next !== undefined && old.id === next.id && sameJson(old.spec, next.spec))) return
  if (next === undefined) resources.delete(key)
  else resources.set(key, next)
  run.touched.add(key)
  wakeReaders(run, key, old, next)
}
