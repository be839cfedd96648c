import { Ajv, type ValidateFunction } from 'ajv'
import type { KindDefinition } from '../../kinds/kind.ts'
import { type Absent, absentAttribute } from '../../plugins/absent.ts'

export interface LoadKind {
  readonly definition: KindDefinition
  /** Never changes the value: no coercion, no defaults. */
  readonly validate: ValidateFunction
  /** How to get an attribute that nobody here brings. */
  absent(attribute: string): string | undefined
}

export interface KindTable {
  readonly byCollection: ReadonlyMap<string, LoadKind>
  readonly byName: ReadonlyMap<string, KindDefinition>
  /** The kind whose attributes are the top level of the site file. */
  readonly site?: LoadKind
  /** Names of the site's attributes. */
  readonly settings: ReadonlySet<string>
  readonly absent: Absent
}

/** Words that editors read and validation does not. */
const EDITOR_WORDS = ['defaultSnippets', 'markdownDescription', 'enumDescriptions', 'deprecationMessage', 'doNotSuggest']

/**
 * Compiles the schemas of the kinds, each at its first use. Throws on a schema that ajv does not take, and on two kinds with one collection:
 * both are mistakes of the program.
 */
export function compileKinds(kinds: readonly KindDefinition[], absent: Absent = new Map()): KindTable {
  // `strict` catches misspelled keywords; the style rules among its checks refuse ordinary draft-07.
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    discriminator: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    strictTuples: false,
    allowUnionTypes: true,
  })
  ajv.addVocabulary(EDITOR_WORDS)
  const byCollection = new Map<string, LoadKind>()
  let site: LoadKind | undefined
  for (const definition of kinds) {
    const kind: LoadKind = {
      definition,
      validate: lazily(ajv, definition),
      absent: (attribute) => absent.get(absentAttribute(definition.kind, attribute)),
    }
    if (definition.collection === '') site = kind
    else if (byCollection.has(definition.collection)) throw new Error(`two kinds have the collection ${definition.collection}`)
    else byCollection.set(definition.collection, kind)
  }
  const properties = isSchemaObject(site?.definition.schema) ? (site.definition.schema['properties'] ?? {}) : {}
  return {
    byCollection,
    byName: new Map(kinds.map((k) => [k.kind, k])),
    settings: new Set(Object.keys(properties)),
    absent,
    ...(site === undefined ? {} : { site }),
  }
}

/** A validator that compiles when first called: a small repo uses few kinds, and compiling is most of a short run. */
function lazily(ajv: Ajv, definition: KindDefinition): ValidateFunction {
  let compiled: ValidateFunction | undefined
  const validate = ((value: unknown) => {
    compiled ??= ajv.compile(definition.schema as object)
    const ok = compiled(value)
    validate.errors = compiled.errors ?? null
    return ok
  }) as ValidateFunction
  return validate
}

function isSchemaObject(schema: unknown): schema is Record<string, Record<string, unknown>> {
  return schema !== null && typeof schema === 'object'
}
