import { createHash } from 'node:crypto'
import { canonicalJson } from '../../lib/json.ts'
import type { Plan } from './types.ts'

/** Lines hashed at a time: a call for each of 100,000 short lines costs more than the hashing. */
const BATCH = 512

/**
 * `p-` and the first 8 hex digits of the SHA-256 over base revision, plugins, declarations, changes and holdings: the same edit on the same base has
 * the same id, whatever commit it came in and in whatever order files were read. Lists are given sorted.
 */
export function planId(plan: Pick<Plan, 'base' | 'registry' | 'ops' | 'changes' | 'allocations'>): string {
  const hash = createHash('sha256')
  let batch: string[] = []
  for (const line of contentLines(plan)) {
    if (batch.push(line) < BATCH) continue
    hash.update(batch.join('\n')).update('\n')
    batch = []
  }
  return `p-${hash.update(batch.join('\n')).digest('hex').slice(0, 8)}`
}

function* contentLines(plan: Pick<Plan, 'base' | 'registry' | 'ops' | 'changes' | 'allocations'>): Generator<string> {
  yield `base ${plan.base}`
  yield `plugins ${plan.registry}`
  // The order of attributes in a file does not count; what the engine makes of them has one order only.
  for (const declared of plan.ops.set) yield `set ${declared.key} ${canonicalJson(declared.spec)}`
  for (const key of plan.ops.del) yield `del ${key}`
  for (const { action, key, attributes } of plan.changes) yield `${action} ${key} ${JSON.stringify(attributes)}`
  for (const held of plan.allocations.set) yield `hold ${held.pool}|${held.value} ${held.owner} ${held.source}`
  for (const id of plan.allocations.del) yield `free ${id}`
}
