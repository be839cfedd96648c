import type { Reference } from '../../kinds/kind.ts'
import { type Access, EVERYBODY, GRANT, grantName } from '../../kinds/sharing.ts'
import type { Finding } from '../../model/issue.ts'
import { type Key, keyParts } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import { declaredFact, type Fact } from './facts.ts'
import { nameKey, usersOf } from './names.ts'
import type { Run } from './run.ts'

/** Code of a reference to what another project keeps to itself; `issuesOf` turns it into WITHDRAWN where it was allowed before. */
export const UNSHARED = 'E0270'

/** Kind of the resources that give others access (`kinds/rbac_policy`). */
const POLICY = 'rbac_policy'

/**
 * References into other projects that those do not allow. Only what is written counts, so that a share may stand in any order to its users; what
 * was looked up is in `reads`, so that whoever lived on a share looks again when it goes. Where nothing is there at all, somebody else says so.
 */
export function sharingFindings(run: Run, declared: Declared, references: readonly Reference[], reads: Set<Fact>): readonly Finding[] {
  const refused = new Map<Key, Finding>()
  // What has no project is the operator's own, and reaches everywhere.
  if (declared.project === '') return []
  for (const reference of references) {
    if (reference.open === true || !reference.name.includes('/')) continue
    const target = nameKey(run, declared.project, reference.kind, reference.name)
    const { project } = keyParts(target)
    if (project === '' || project === declared.project || !run.state.declared.has(target)) continue
    const finding = refusal({ run, declared, reads, reference }, target)
    if (finding !== undefined) refused.set(target, finding)
  }
  // One mistake is told once: who may not use a network may not use its subnets either.
  return [...refused].flatMap(([target, finding]) => {
    const whole = wholeOf(run, target, reads)
    return whole !== undefined && refused.has(whole) ? [] : [finding]
  })
}

interface Asking {
  readonly run: Run
  readonly declared: Declared
  readonly reads: Set<Fact>
  readonly reference: Reference
}

function refusal(asking: Asking, target: Key): Finding | undefined {
  const { run, declared, reads, reference } = asking
  const user = fullName(declared.key)
  const used = fullName(target)
  const owner = keyParts(target).project
  const related = [{ message: `${used} is written here`, key: target }]
  const at = reference.at
  if (reference.access === 'own') {
    const message = `${user} uses ${used}, and only project ${owner} itself may do that`
    return { code: 'E0271', message, at, related, hint: `write ${declared.kind} ${declared.name} under project: ${owner}` }
  }
  const whole = wholeOf(run, target, reads) ?? target
  const sharing = run.kinds.byName.get(keyParts(whole).kind)?.sharing
  if (sharing?.by !== 'grant') {
    const message = `${user} uses ${used} of another project, and a ${reference.kind} cannot be shared`
    return { code: UNSHARED, message, at, related, hint: `name a ${reference.kind} of project ${declared.project}` }
  }
  if (isGiven(asking, whole, 'shared') || (reference.access === 'external' && isGiven(asking, whole, 'external'))) return undefined
  const part = whole === target ? '' : `, a part of ${fullName(whole)}`
  const external = isGiven(asking, whole, 'external') ? 'external (for gateways and floating IPs) but ' : ''
  const message = `${user} uses ${used}${part}, which is ${external}not shared with project ${declared.project}`
  return { code: UNSHARED, message, at, related, hint: howToShare(whole, declared.project, sharing.everybody.shared) }
}

function howToShare(target: Key, project: string, attribute: string | null | undefined): string {
  const { kind, project: owner, name } = keyParts(target)
  const policy = `{ object_type: ${kind}, object: ${name}, action: access_as_shared, target_project: ${project} }`
  const everybody = typeof attribute === 'string' ? `write ${attribute}: true on ${fullName(target)}, or ` : ''
  return `${everybody}add ${policy} to the rbac_policies of project ${owner}`
}

/** Does the owner, by an attribute or a policy, give the reader's project this access? */
function isGiven({ run, declared, reads }: Asking, target: Key, access: Access): boolean {
  const sharing = run.kinds.byName.get(keyParts(target).kind)?.sharing
  const attribute = sharing?.by === 'grant' ? sharing.everybody[access] : undefined
  if (attribute === undefined) return false
  if (attribute !== null && look(run, target, reads)?.spec[attribute] === true) return true
  return [EVERYBODY, declared.project].some((project) => {
    const fact = usersOf(run, nameKey(run, '', GRANT, grantName(access, target, project)), POLICY)
    reads.add(fact)
    return run.state.users.size(fact) > 0
  })
}

/** What the target is a part of, as far as sharing goes. */
function wholeOf(run: Run, target: Key, reads: Set<Fact>): Key | undefined {
  const { kind, project } = keyParts(target)
  const sharing = run.kinds.byName.get(kind)?.sharing
  const name = sharing?.by === 'whole' ? look(run, target, reads)?.spec[sharing.attribute] : undefined
  return sharing?.by === 'whole' && typeof name === 'string' ? nameKey(run, project, sharing.kind, name) : undefined
}

function look(run: Run, key: Key, reads: Set<Fact>): Declared | undefined {
  reads.add(declaredFact(key))
  return run.state.declared.get(key)
}

/** With the project, whichever it is: where two projects meet, `default` is one of them. */
function fullName(key: Key): string {
  const { kind, project, name } = keyParts(key)
  return `${kind} ${project}/${name}`
}
