import type { JSONSchema } from 'json-schema-to-ts'

/** A limit for each collection that is counted, by the names of YAML's top-level keys. */
export function quotaSchema(collections: readonly string[]): JSONSchema {
  const limit = (collection: string): JSONSchema => ({
    type: 'integer',
    minimum: -1,
    description: `Most ${collection} that the project may have. -1 is no limit.`,
  })
  return {
    type: 'object',
    description: 'Limits of the project that the entry is named after; those of "*" (in quotes) hold where a project has none of its own.',
    additionalProperties: false,
    properties: Object.fromEntries([...collections].sort().map((name) => [name, limit(name)])),
  }
}

/** What an operator writes for a quota: collection → limit. */
export type QuotaDeclared = { readonly [collection: string]: number }
