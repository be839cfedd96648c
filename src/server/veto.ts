import { hasErrors, type Issue } from '../model/issue.ts'
import { displayKey } from '../model/key.ts'
import type { Subscribed } from '../plugins/callbacks.ts'
import { judgeChanges, type Verdict } from '../plugins/judge.ts'
import { issueOf } from './engine/issues.ts'
import type { Locate, World } from './engine/types.ts'
import type { Change } from './plan/types.ts'
import { watched } from './watched.ts'

/** A judge of the stage `precommit` refused the plan inside the transaction. */
export class Vetoed extends Error {
  readonly issues: readonly Issue[]
  constructor(issues: readonly Issue[]) {
    super(issues.map((i) => `${i.code} ${i.message}`).join('; '))
    this.name = 'Vetoed'
    this.issues = issues
  }
}

export interface Judged {
  readonly stage: 'before' | 'precommit'
  readonly subscriptions: readonly Subscribed[]
  readonly changes: readonly Change[]
  readonly base: World
  readonly world: World
  readonly locate: Locate
}

/** What the judges of a stage say of a plan, each with its place. */
export function judgePlan(judged: Judged): readonly Issue[] {
  const { stage, subscriptions, changes, base, world, locate } = judged
  const worlds = { before: base.resources.get.bind(base.resources), after: world.resources.get.bind(world.resources) }
  const verdicts = judgeChanges({ stage, subscriptions, changes, worlds, watched })
  return verdicts.length === 0 ? [] : placed(verdicts, changes, locate)
}

/** Throws `Vetoed`, for the store to roll back. */
export function refuseVetoed(judged: Judged): void {
  const issues = judgePlan(judged)
  if (hasErrors(issues)) throw new Vetoed(issues)
}

/** What is gone from the repo is shown where it stood. */
function placed(verdicts: readonly Verdict[], changes: readonly Change[], locate: Locate): readonly Issue[] {
  const places = new Map(changes.map((change) => [change.key, change.place]))
  return verdicts.map(({ key, finding }) => {
    const issue = issueOf(key, finding, locate)
    const stood = places.get(key)
    return issue.place !== undefined || stood === undefined ? issue : { ...issue, place: stood, label: `${displayKey(key)} stood here` }
  })
}
