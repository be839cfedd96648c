import type { Reference } from '../../kinds/kind.ts'
import { didYouMean } from '../../lib/suggest.ts'
import type { Finding } from '../../model/issue.ts'
import { displayKey, type Key, keyParts } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import { declaredFact, type Fact, kindFact, presentFact } from './facts.ts'
import { nameKey } from './names.ts'
import { type Run, sortedKeys } from './run.ts'
import { sharingFindings } from './sharing.ts'
import { SET_ASIDE } from './view.ts'

/** Code of a reference to nothing; `issuesOf` turns it into REMOVED where the target was there before. */
export const MISSING = 'E0300'

/**
 * Every reference must lead somewhere, and into another project only where that lets it. Throws SET_ASIDE when all do, but one leads to a
 * resource that is itself in error: one mistake is told once.
 */
export function referenceFindings(run: Run, declared: Declared, reads: Set<Fact>): readonly Finding[] {
  const findings: Finding[] = []
  const readable = run.kinds.readable.get(declared.kind)
  const references = run.kinds.byName.get(declared.kind)?.references(declared.spec, declared.project) ?? []
  let waits = false
  for (const reference of references) {
    if (reference.open === true) continue
    const key = nameKey(run, declared.project, reference.kind, reference.name)
    if (readable?.has(reference.kind) === true) {
      reads.add(presentFact(key))
      if (run.state.resources.has(key)) continue
    }
    reads.add(declaredFact(key))
    if (!run.state.declared.has(key)) findings.push(missing(run, declared, reference, key, reads))
    else if (readable?.has(reference.kind) === true) waits = true
  }
  findings.push(...sharingFindings(run, declared, references, reads))
  if (findings.length === 0 && waits) throw SET_ASIDE
  return findings
}

function missing(run: Run, declared: Declared, reference: Reference, key: Key, reads: Set<Fact>): Finding {
  reads.add(kindFact(reference.kind))
  const message = `${displayKey(declared.key)} uses ${reference.kind} ${reference.name}, which does not exist`
  const hint = suggestion(run, declared, reference, key) ?? `declare it, or name one that exists`
  return { code: MISSING, message, at: reference.at, related: [{ message: displayKey(key), key }], hint }
}

function suggestion(run: Run, declared: Declared, reference: Reference, key: Key): string | undefined {
  const wanted = keyParts(key)
  const all = run.sorted.get(`k${reference.kind}`) ?? sortedKeys(run.state.kinds.inner(reference.kind))
  run.sorted.set(`k${reference.kind}`, all)
  const parts = all.map((k) => keyParts(k as Key))
  const elsewhere = parts.find((p) => p.name === wanted.name && p.project !== wanted.project)
  if (elsewhere !== undefined)
    return `${reference.kind} ${wanted.name} exists in project ${elsewhere.project}: write ${elsewhere.project}/${elsewhere.name}`
  const near = didYouMean(
    wanted.name,
    parts.filter((p) => p.project === wanted.project).map((p) => p.name),
  )
  if (near === undefined) return undefined
  return `did you mean ${wanted.project === declared.project || wanted.project === '' ? near : `${wanted.project}/${near}`}?`
}
