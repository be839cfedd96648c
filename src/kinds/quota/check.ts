import type { JsonObject } from '../../model/brand.ts'
import type { Normalised } from '../kind.ts'

/**
 * The schema says what a limit is. Whether a change keeps to it depends on what was there before, so the plan judges that, not the kind
 * (`server/plan/quota-issues`).
 */
export function normaliseQuota(spec: JsonObject): Normalised {
  if (Object.keys(spec).length > 0) return { spec, findings: [] }
  const message = 'the quota limits nothing: the defaults hold as if it were not there'
  return { spec, findings: [{ code: 'W0282', severity: 'warning', message, hint: 'write a limit, such as ports: 100, or remove it' }] }
}
