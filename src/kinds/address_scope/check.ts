import type { JsonObject } from '../../model/brand.ts'
import type { Normalised } from '../kind.ts'

/** The schema says everything; what a scope means is for its pools to check. */
export function normaliseAddressScope(spec: JsonObject): Normalised {
  return { spec, findings: [] }
}
