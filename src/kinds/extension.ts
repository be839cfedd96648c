import type { JSONSchema } from 'json-schema-to-ts'
import { isRecord } from '../lib/json.ts'
import type { JsonObject } from '../model/brand.ts'
import type { Finding } from '../model/issue.ts'
import type { Declared, Resource } from '../model/resource.ts'
import {
  type KindDefinition,
  type Lowered,
  NOTHING,
  type Normalised,
  type Pools,
  type Reference,
  type Resolved,
  type View,
} from './kind.ts'

/**
 * Attributes that a plugin adds to a kind of another one (Neutron's attribute extension). In YAML they are ordinary keys; in a resolved resource they
 * stand below `ext[alias]`, so that no two plugins and no later version of the kind can clash. `values` is always the extension's own part of the spec.
 */
export interface AttributeExtension {
  readonly kind: string
  /** The kind may be left out, and its attributes with it. Else a kind that nobody brings is a mistake. */
  readonly optional?: true
  /** The extension's alias, as in `netloom kinds`. */
  readonly alias: string
  /** draft-07, by attribute name; each with a `description`. None may be required. */
  readonly properties: Readonly<Record<string, JSONSchema>>
  readonly mutability?: KindDefinition['mutability']
  /** Kinds whose resolved resources it reads, besides those that the kind itself reads. */
  readonly after?: readonly string[]
  normalise?(values: JsonObject): Normalised
  references?(values: JsonObject): readonly Reference[]
  check?(resource: Declared, values: JsonObject, view: View): readonly Finding[]
  /** Defaults; runs before the kind's own `resolve`, and may claim from pools but not allocate. Left out: `values` as they are. */
  resolve?(resource: Declared, values: JsonObject, view: View, pools: Pick<Pools, 'claim'>): Resolved<JsonObject>
  /** False when `resolve` claims nothing for these values. Absent: it may. */
  claims?(values: JsonObject): boolean
  /** What it asks of the data plane besides what the kind does. */
  lower?(resource: Resource, values: JsonObject, view: View): Lowered
}

const NO_VALUES: JsonObject = {}

/** The spec as an operator knows it: what extensions added stands beside the kind's own attributes. */
export function flatSpec(spec: JsonObject): JsonObject {
  const { ext, ...own } = spec
  return isRecord(ext) ? Object.assign(own, ...Object.values(ext)) : spec
}

/** What an extension resolved to in this resource; undefined when it is not loaded, or added nothing. */
export function extensionOf(spec: JsonObject, alias: string): JsonObject | undefined {
  const ext = spec['ext']
  const values = isRecord(ext) ? ext[alias] : undefined
  return isRecord(values) ? (values as JsonObject) : undefined
}

/** The kind with all that was added to it. The kind's own functions see what they would see without. */
export function extendKind(kind: KindDefinition, extensions: readonly AttributeExtension[]): KindDefinition {
  if (extensions.length === 0) return kind
  const owner = new Map(extensions.flatMap((e) => Object.keys(e.properties).map((name) => [name, e] as const)))
  // Most resources carry none of them: those pass through as they are.
  const carries = (spec: JsonObject): boolean => Object.keys(spec).some((name) => owner.has(name))
  const own = (spec: JsonObject): JsonObject => (carries(spec) ? pick(spec, (name) => !owner.has(name)) : spec)
  const valuesOf = (spec: JsonObject, extension: AttributeExtension): JsonObject =>
    carries(spec) ? pick(spec, (name) => owner.get(name) === extension) : NO_VALUES
  const resolving = extensions.filter((e) => e.resolve !== undefined)
  const lowering = extensions.filter((e) => e.lower !== undefined)
  const { claims } = kind
  return {
    ...kind,
    schema: extendSchema(kind.schema, extensions),
    after: [...new Set([...kind.after, ...extensions.flatMap((e) => e.after ?? [])])],
    mutability: Object.assign({}, kind.mutability, ...extensions.map((e) => e.mutability)),
    ...(claims === undefined
      ? {}
      : { claims: (spec) => resolving.some((e) => e.claims?.(valuesOf(spec, e)) ?? true) || claims(own(spec)) }),
    normalise(spec) {
      if (!carries(spec) && extensions.every((e) => e.normalise === undefined)) return kind.normalise(spec)
      const parts = [kind.normalise(own(spec)), ...extensions.map((e) => normalised(e, valuesOf(spec, e)))]
      return { spec: Object.assign({}, ...parts.map((p) => p.spec)), findings: parts.flatMap((p) => p.findings) }
    },
    references: (spec, project) => [
      ...kind.references(own(spec), project),
      ...extensions.flatMap((e) => e.references?.(valuesOf(spec, e)) ?? []),
    ],
    check: (resource, view) => [
      ...kind.check(ownPart(resource, own), view),
      ...extensions.flatMap((e) => e.check?.(resource, valuesOf(resource.spec, e), view) ?? []),
    ],
    resolve(resource, view, pools) {
      if (resolving.length === 0 && !carries(resource.spec)) return kind.resolve(resource, view, pools)
      const added = extensions.map((e) => {
        const values = valuesOf(resource.spec, e)
        return { alias: e.alias, ...(e.resolve?.(resource, values, view, pools) ?? { spec: values, findings: [] }) }
      })
      const resolved = kind.resolve(ownPart(resource, own), view, pools)
      const ext = mergeByAlias(added)
      return {
        spec: ext === undefined ? resolved.spec : { ...resolved.spec, ext },
        findings: [...resolved.findings, ...added.flatMap((a) => a.findings)],
      }
    },
    lower:
      lowering.length === 0
        ? kind.lower
        : (resource, view) =>
            joinLowered([
              kind.lower(resource, view),
              ...lowering.map((e) => e.lower?.(resource, extensionOf(resource.spec, e.alias) ?? NO_VALUES, view) ?? NOTHING),
            ]),
  }
}

function normalised(extension: AttributeExtension, values: JsonObject): Normalised {
  return extension.normalise?.(values) ?? { spec: values, findings: [] }
}

function extendSchema(schema: JSONSchema, extensions: readonly AttributeExtension[]): JSONSchema {
  const base = schema as { readonly properties?: object }
  return { ...base, properties: Object.assign({}, base.properties, ...extensions.map((e) => e.properties)) } as JSONSchema
}

/** One alias may add several groups of attributes to a kind. Undefined when nothing was added at all. */
function mergeByAlias(added: readonly { readonly alias: string; readonly spec: JsonObject }[]): JsonObject | undefined {
  const filled = added.filter(({ spec }) => Object.keys(spec).length > 0)
  if (filled.length === 0) return undefined
  const out: Record<string, JsonObject> = {}
  for (const { alias, spec } of filled) out[alias] = { ...out[alias], ...spec }
  return out
}

function ownPart(resource: Declared, own: (spec: JsonObject) => JsonObject): Declared {
  const spec = own(resource.spec)
  return spec === resource.spec ? resource : { ...resource, spec }
}

function joinLowered(parts: readonly Lowered[]): Lowered {
  const filled = parts.filter((p) => p !== NOTHING)
  const [only] = filled
  if (filled.length <= 1) return only ?? NOTHING
  const ways = filled.flatMap((p) => p.ways ?? [])
  return { intents: filled.flatMap((p) => p.intents), needs: filled.flatMap((p) => p.needs), ...(ways.length === 0 ? {} : { ways }) }
}

function pick(spec: JsonObject, wanted: (name: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => wanted(name)))
}
