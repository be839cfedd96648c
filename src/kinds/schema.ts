import type { JSONSchema } from 'json-schema-to-ts'
import { isRecord } from '../lib/json.ts'
import type { Json, JsonObject } from '../model/brand.ts'

/** A schema with other words in the enum of one attribute (or of its entries): those that the loaded drivers bring. */
export function enumOf(schema: JSONSchema, path: readonly string[], words: readonly string[]): JSONSchema {
  return replaced(schema as JsonObject, ['properties', ...path, 'enum'], words) as JSONSchema
}

function replaced(value: Json | undefined, path: readonly string[], words: readonly string[]): Json {
  const [name, ...rest] = path
  if (name === undefined) return words
  if (!isRecord(value)) throw new Error(`the schema has no ${path.join('.')}`)
  return { ...value, [name]: replaced(value[name] as Json | undefined, rest, words) } as JsonObject
}

/** A schema that says what holds where nothing is written: an annotation, which validation does not read. Attributes of a map have defaults of their own. */
export function withDefaults(schema: JSONSchema, defaults: JsonObject): JSONSchema {
  if (!isRecord(schema) || !isRecord(schema['properties'])) return schema
  const properties = Object.entries(schema['properties']).map(([name, property]) => {
    const value = defaults[name]
    if (value === undefined || !isRecord(property)) return [name, property]
    const inner = isRecord(property['properties']) && isRecord(value)
    return [name, inner ? withDefaults(property as JSONSchema, value as JsonObject) : { ...property, default: value }]
  })
  return { ...schema, properties: Object.fromEntries(properties) } as JSONSchema
}
