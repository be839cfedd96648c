import type { JSONSchema } from 'json-schema-to-ts'
import type { KindDefinition } from '../kinds/kind.ts'
import { isRecord } from '../lib/json.ts'
import { type Absent, absentAttribute, absentCollection, absentKind } from './absent.ts'
import type { MadePlugin } from './conflicts.ts'
import type { Plugin } from './plugin.ts'
import type { OffAlias } from './promises.ts'

/** What the plugins bring without the aliases that are off. */
export interface Remaining {
  readonly made: readonly MadePlugin[]
  /** What went, with the reason, as an unknown word's hint. */
  readonly absent: Absent
}

export function withoutOff(made: readonly MadePlugin[], off: readonly OffAlias[]): Remaining {
  if (off.length === 0) return { made, absent: new Map() }
  const reasons = new Map(off.map((o) => [o.alias, reasonOf(o)]))
  const absent = new Map<string, string>()
  const remaining = made.map(({ plugin, kinds }): MadePlugin => {
    const covered = new Map(plugin.plugin.extensions.flatMap(({ alias, covers = [] }) => covers.map((name) => [name, alias] as const)))
    for (const [name, alias] of covered) note(absent, name, reasons.get(alias))
    for (const { alias, definition } of kinds) {
      note(absent, absentKind(definition.kind), reasons.get(alias))
      note(absent, absentCollection(definition.collection), reasons.get(alias))
    }
    for (const { kind, alias, properties } of plugin.plugin.attributes ?? [])
      for (const name of Object.keys(properties)) note(absent, absentAttribute(kind, name), reasons.get(alias))
    return {
      plugin: { ...plugin, plugin: reduced(plugin.plugin, reasons) },
      kinds: kinds
        .filter((k) => !reasons.has(k.alias))
        .map(({ alias, definition }) => ({
          alias,
          definition: withoutAttributes(definition, (name) => reasons.has(covered.get(absentAttribute(definition.kind, name)) ?? '')),
        })),
    }
  })
  return { made: remaining, absent }
}

function note(absent: Map<string, string>, what: string, reason: string | undefined): void {
  if (reason !== undefined) absent.set(what, reason)
}

function reasonOf({ alias, by, builds_on }: OffAlias): string {
  const why = by.length > 0 ? `plugin ${by.map((b) => b.plugin).join(', ')} cannot keep it` : `it builds on ${builds_on.join(', ')}`
  return `it belongs to ${alias}, which is off by overrides in netloom.yaml: ${why}`
}

function reduced(plugin: Plugin, off: ReadonlyMap<string, unknown>): Plugin {
  return {
    ...plugin,
    extensions: plugin.extensions.filter((e) => !off.has(e.alias)),
    ...(plugin.attributes === undefined ? {} : { attributes: plugin.attributes.filter((a) => !off.has(a.alias)) }),
    ...(plugin.computed === undefined ? {} : { computed: plugin.computed.filter((c) => !off.has(c.alias)) }),
  }
}

/** The kind, in which they cannot be written. What a change of them does stays known: committed resources may have them. */
function withoutAttributes(kind: KindDefinition, gone: (name: string) => boolean): KindDefinition {
  const { schema } = kind
  const properties = isRecord(schema) && isRecord(schema['properties']) ? schema['properties'] : {}
  if (!Object.keys(properties).some(gone)) return kind
  const left = Object.fromEntries(Object.entries(properties).filter(([name]) => !gone(name)))
  return { ...kind, schema: { ...(schema as object), properties: left } as JSONSchema }
}
