import type { JSONSchema } from 'json-schema-to-ts'

/** What the generator needs of a kind. */
export interface BundledKind {
  readonly kind: string
  /** Top-level key in YAML; empty for the site, whose attributes are the top level of a file of its own. */
  readonly collection: string
  readonly summary: string
  readonly schema: JSONSchema
}

const DRAFT = 'http://json-schema.org/draft-07/schema#'

/** One schema for a whole YAML file: every collection as a map of names, and `project`. Editors read it; validation goes kind by kind. */
export function fileSchema(kinds: readonly BundledKind[]): JSONSchema {
  const collected = kinds.filter((k) => k.collection !== '').sort((a, b) => (a.collection < b.collection ? -1 : 1))
  const collections = collected.map(({ kind, collection, summary }) => [
    collection,
    {
      description: summary,
      type: ['object', 'null'],
      propertyNames: { minLength: 1, maxLength: 255, pattern: '^[^/]+$' },
      // `blue:` and `blue: {}` are the same.
      additionalProperties: { if: { type: 'null' }, else: { $ref: `#/definitions/${kind}` } },
    },
  ])
  const project = {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    pattern: '^[^/]+$',
    description: 'Project of everything in this document. Default: default.',
  }
  return {
    $schema: DRAFT,
    title: 'Netloom',
    description: 'Networks as they should be. Every YAML file of the repository is a part of one desired state.',
    type: 'object',
    additionalProperties: false,
    properties: { project, ...Object.fromEntries(collections) },
    definitions: Object.fromEntries(collected.map((k) => [k.kind, k.schema])),
  } as JSONSchema
}

/** The schema of the site file: its attributes, beside everything that any file may hold. */
export function siteFileSchema(kinds: readonly BundledKind[]): JSONSchema {
  const file = properties(fileSchema(kinds))
  const site = kinds.find((k) => k.collection === '')
  return {
    ...file,
    title: 'Netloom site',
    ...(site === undefined ? {} : { description: site.summary }),
    properties: { ...asObject(file['properties']), ...asObject(properties(site?.schema)['properties']) },
  } as JSONSchema
}

function properties(schema: JSONSchema | undefined): Readonly<Record<string, unknown>> {
  return asObject(schema)
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {}
}

/** The generated files, by name below `schemas/`. */
export function bundleFiles(kinds: readonly BundledKind[]): ReadonlyMap<string, string> {
  return new Map([
    ['netloom.schema.json', `${JSON.stringify(fileSchema(kinds), null, 2)}\n`],
    ['site.schema.json', `${JSON.stringify(siteFileSchema(kinds), null, 2)}\n`],
  ])
}
