import type { Json, JsonObject } from '../model/brand.ts'
import type { ValuePath } from '../model/issue.ts'
import type { KindDefinition } from './kind.ts'

/** The spec with `shop/blue` written as `blue` in project shop: both name the same resource, and one of the two is the normal form. */
export function ownNames(kind: Pick<KindDefinition, 'references'>, spec: JsonObject, project: string): JsonObject {
  const prefix = `${project}/`
  // Hardly anybody writes the own project; asking for references takes longer than looking.
  if (!mentions(spec, prefix)) return spec
  let out: Json = spec
  for (const { name, at, open } of kind.references(spec, project)) {
    if (open !== true && name.startsWith(prefix)) out = replaced(out, at, name, name.slice(prefix.length))
  }
  return out as JsonObject
}

function mentions(value: Json | undefined, prefix: string): boolean {
  if (typeof value === 'string') return value.startsWith(prefix)
  if (value === null || typeof value !== 'object') return false
  return Object.values(value).some((member: Json | undefined) => mentions(member, prefix))
}

/** Only where that very text stands: a reference may follow from an attribute without being written in it. */
function replaced(value: Json, [step, ...rest]: ValuePath, from: string, to: string): Json {
  if (step === undefined) return value === from ? to : value
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map((entry: Json, i) => (i === step ? replaced(entry, rest, from, to) : entry))
  const record = value as JsonObject
  const member = record[String(step)]
  return member === undefined ? value : { ...record, [step]: replaced(member, rest, from, to) }
}
