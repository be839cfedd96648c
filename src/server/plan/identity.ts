import { createHash } from 'node:crypto'
import { canonicalJson } from '../../lib/json.ts'
import type { Plan } from './types.ts'

/**
 * `p-` and the first 8 hex digits of the SHA-256 over base revision, declarations, holdings and resulting values: the same edit on the same
 * base has the same id, whatever commit it came in and in whatever order files were read. Lists are given sorted.
 */
export function planId(plan: Pick<Plan, 'base' | 'ops' | 'changes' | 'allocations'>): string {
  const hash = createHash('sha256').update(`base ${plan.base}\n`)
  for (const declared of plan.ops.set) hash.update(`set ${declared.key} ${canonicalJson(declared.spec)}\n`)
  for (const key of plan.ops.del) hash.update(`del ${key}\n`)
  for (const { action, key, after } of plan.changes) hash.update(`${action} ${key} ${canonicalJson(after ?? null)}\n`)
  for (const held of plan.allocations.set) hash.update(`hold ${held.pool}|${held.value} ${held.owner} ${held.source}\n`)
  for (const id of plan.allocations.del) hash.update(`free ${id}\n`)
  return `p-${hash.digest('hex').slice(0, 8)}`
}
