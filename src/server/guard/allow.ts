import type { Issue } from '../../model/issue.ts'
import type { GuardName, GuardVerdict } from '../plan/types.ts'

/** Guard → the numbers that the operator has named. */
export type Allowed = ReadonlyMap<GuardName, ReadonlySet<number>>

export const OVERRIDABLE: readonly GuardName[] = ['vanished-file', 'delete-ratio', 'delete-count', 'renumber']

/** Parses the values of `--allow` (`delete-ratio=104`; repeatable, or parted by commas). */
export function parseAllow(values: readonly string[]): { readonly allowed: Allowed; readonly issues: readonly Issue[] } {
  const allowed = new Map<GuardName, Set<number>>()
  const issues: Issue[] = []
  for (const value of values.flatMap((v) => v.split(',')).map((v) => v.trim())) {
    const [, name, digits] = /^([a-z-]+)=(\d{1,9})$/.exec(value) ?? []
    const guard = OVERRIDABLE.find((g) => g === name)
    if (guard === undefined) issues.push(refused(value))
    else allowed.set(guard, new Set([...(allowed.get(guard) ?? []), Number(digits)]))
  }
  return { allowed, issues }
}

/** What still blocks: a guard is overridden only by exactly its own number, so that an old override never lets a bigger mistake through. */
export function stillBlocked(verdicts: readonly GuardVerdict[], allowed: Allowed): readonly GuardVerdict[] {
  return verdicts.filter((v) => v.override === undefined || !allowed.get(v.guard)?.has(v.count))
}

function refused(value: string): Issue {
  const message = /^empty-tree\b/.test(value)
    ? 'the guard empty-tree cannot be overridden: an empty repo never deletes anything'
    : `--allow ${value} is not a guard and a number`
  return { code: 'E0502', severity: 'error', message, hint: `write e.g. --allow delete-ratio=104; guards: ${OVERRIDABLE.join(', ')}` }
}
