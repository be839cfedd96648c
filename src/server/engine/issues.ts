import { compareIssues, type Finding, type Issue, type Related } from '../../model/issue.ts'
import { displayKey, type Key, keyParts } from '../../model/key.ts'
import { usersFact } from './facts.ts'
import { MISSING } from './references.ts'
import { UNSHARED } from './sharing.ts'
import { indexOf } from './state.ts'
import type { Locate, World } from './types.ts'

/** Code of a reference to what the change removes. */
export const REMOVED = 'E0311'
/** Code of a reference across projects that was allowed until this change. */
export const WITHDRAWN = 'E0272'

/**
 * The world's findings with their places, sorted. Places are joined here and not kept: a line inserted above moves them without any resource
 * changing. With `base`, references to what was there before are told as such.
 */
export function issuesOf(world: World, locate: Locate, base?: World): readonly Issue[] {
  const issues: Issue[] = []
  for (const [key, findings] of world.findings) for (const finding of findings) issues.push(issueOf(key, finding, locate, base))
  return issues.sort(compareIssues)
}

/** One finding about a resource, with its places. */
export function issueOf(key: Key, finding: Finding, locate: Locate, base?: World): Issue {
  const place = locate(key, finding.at ?? [])
  const told = toldAgainst(base, key, finding)
  const related = told.related?.map((r): Related => {
    const where = locate(r.key as Key, r.at ?? []) ?? locate(r.key as Key, [])
    return where === undefined ? { message: r.message } : { message: r.message, place: where }
  })
  return {
    code: told.code,
    severity: told.severity ?? 'error',
    message: told.message,
    ...(place === undefined ? {} : { place }),
    ...(told.label === undefined ? {} : { label: told.label }),
    ...(related === undefined || related.length === 0 ? {} : { related }),
    ...(told.hint === undefined ? {} : { hint: told.hint }),
  }
}

/** The world before tells a mistake that was written from one that is left behind. */
function toldAgainst(base: World | undefined, key: Key, finding: Finding): Finding {
  if (finding.code === MISSING) return missingIssue(key, finding, base)
  return finding.code === UNSHARED && base !== undefined ? withdrawn(key, finding, base) : finding
}

/** Neutron refuses to take an RBAC entry away while the other project uses the object; so does this, at each who does. */
function withdrawn(key: Key, finding: Finding, base: World): Finding {
  const target = finding.related?.[0]?.key as Key | undefined
  if (target === undefined || !base.resources.has(key)) return finding
  if (
    indexOf(base)
      .users.get(usersFact(target, keyParts(key).kind))
      ?.has(key) !== true
  )
    return finding
  const message = `${displayKey(key)} still uses ${displayKey(target)}, which this change stops sharing with project ${keyParts(key).project}`
  return { ...finding, code: WITHDRAWN, message, hint: `remove ${displayKey(key)} first, or keep the sharing` }
}

/** A missing target has no place; whether it was removed just now, only the world before can tell. */
function missingIssue(key: Key, finding: Finding, base: World | undefined): Finding {
  const { related, ...rest } = finding
  const target = related?.[0]?.key as Key | undefined
  if (target === undefined || base?.declared.has(target) !== true) return rest
  const message = `${displayKey(key)} still uses ${displayKey(target)}, which this change removes`
  return { ...rest, code: REMOVED, message, hint: `remove ${displayKey(key)} too, or keep ${displayKey(target)}` }
}
