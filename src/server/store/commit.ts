import type { Plan } from '../plan/types.ts'
import { purgeReservations, writeAllocations } from './allocations.ts'
import { insertCalls } from './callbacks.ts'
import type { Sql } from './connection.ts'
import { StoreError } from './error.ts'
import { insertEvent } from './events.ts'
import { insertPlan, isPlanKnown, packPlan } from './plans.ts'
import { writeResources } from './resources.ts'
import { insertRevision, readRevisions } from './revisions.ts'
import type { CommitOptions, RevisionInfo } from './types.ts'
import type { FailPoint } from './writer.ts'

/** The steps of a commit, in order; `failPoint` is called after each with its name. */
export const COMMIT_STEPS = ['begin', 'revision', 'resources', 'allocations', 'plan', 'event', 'calls', 'precommit'] as const

/** The body of the commit transaction: see `Store.commit`. */
export async function commitPlan(tx: Sql, plan: Plan, options: CommitOptions, failPoint: FailPoint): Promise<RevisionInfo> {
  const [current] = await readRevisions(tx, 1)
  if (current !== undefined && current.plan === plan.id && current.revision === plan.base + 1) return current
  if (plan.base !== (current?.revision ?? 0)) throw stale(plan, current)
  const at = new Date(options.now).toISOString()
  const info: RevisionInfo = {
    revision: plan.base + 1,
    plan: plan.id,
    committedAt: at,
    summary: plan.summary,
    ...(plan.git === undefined ? {} : { git: plan.git }),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  }
  const did = async (step: (typeof COMMIT_STEPS)[number]): Promise<void> => failPoint(`commit:${step}`)
  await did('begin')
  const packed = (await isPlanKnown(tx, plan)) ? undefined : packPlan(plan)
  // Whatever fails first is what is told; that packing failed as well is not.
  packed?.catch(() => undefined)
  await insertRevision(tx, info)
  await did('revision')
  await writeResources(tx, plan, info.revision, options.places)
  await did('resources')
  await writeAllocations(tx, plan.allocations)
  await purgeReservations(tx, options.now)
  await did('allocations')
  if (packed !== undefined) await insertPlan(tx, plan, await packed, at)
  await tx.run('UPDATE plans SET applied_rev = ? WHERE id = ?', info.revision, plan.id)
  await did('plan')
  const detail = {
    revision: info.revision,
    plan: plan.id,
    ...plan.summary,
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  }
  await insertEvent(tx, { at, type: 'commit', detail })
  await did('event')
  await insertCalls(tx, info.revision, options.calls ?? [], options.now)
  await did('calls')
  options.precommit?.()
  await did('precommit')
  return info
}

function stale(plan: Plan, current: RevisionInfo | undefined): StoreError {
  const now =
    current === undefined
      ? 'there is no revision yet'
      : `the current revision is ${current.revision} (${current.plan}, ${current.committedAt})`
  return new StoreError('stale', `plan ${plan.id} was made for revision ${plan.base}, but ${now}; make a new plan`)
}
