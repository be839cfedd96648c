import type { Issue } from '../../model/issue.ts'
import type { GuardName, GuardVerdict } from '../plan/types.ts'

/** Guard → the numbers that the operator has named. */
export type Allowed = ReadonlyMap<GuardName, ReadonlySet<number>>

export const OVERRIDABLE: readonly GuardName[] = ['installation', 'vanished-file', 'delete-ratio', 'delete-count', 'renumber']

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
    ? 'The guard empty-tree cannot be overridden: an empty repo never deletes anything'
    : 'It is to be a guard and a number'
  return { code: 'E0502', severity: 'error', message, hint: `write e.g. --allow delete-ratio=104; guards: ${OVERRIDABLE.join(', ')}` }
}

/** What a refused plan is to be told again: numbers that let their guards pass. `wrong`: those that are not the plan's. */
export function sortAllowed(
  allowed: Allowed,
  left: readonly GuardVerdict[],
): { readonly right: readonly string[]; readonly wrong: readonly string[] } {
  const wrong = left.flatMap(({ guard, override, count: n }) =>
    override === undefined ? [] : [...(allowed.get(guard) ?? [])].map((said) => `--allow ${guard}=${said} is not the plan's number, ${n}`),
  )
  const right = [...allowed].filter(([guard]) => !left.some((v) => v.guard === guard))
  return { right: right.flatMap(([guard, numbers]) => [...numbers].map((n) => `--allow ${guard}=${n}`)), wrong }
}

/** What is recorded with a revision that guards spoke against: what let it pass, and why. */
export function recordedReason(plan: { readonly blocked: readonly GuardVerdict[] }, reason: string | undefined): string | undefined {
  const overrides = plan.blocked.flatMap((v) => v.override ?? [])
  return overrides.length === 0 ? reason : [overrides.join(' '), ...(reason === undefined ? [] : [reason])].join(': ')
}
