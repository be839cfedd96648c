import type { JSONSchema } from 'json-schema-to-ts'
import type { KindDefinition } from '../kinds/kind.ts'
import { ABILITIES, type MechanismDriver } from '../kinds/port/mechanism-driver.ts'
import { isRecord } from '../lib/json.ts'
import type { Json } from '../model/brand.ts'
import type { ChosenPlugin } from './conflicts.ts'
import type { Directory, Owner } from './directory.ts'
import { BUILT_IN } from './index.ts'
import type { Extension, Inability } from './plugin.ts'
import type { OffAlias } from './promises.ts'

/*
 * What a server can do, as plain data: what `netloom kinds` and `netloom plugins` show, and what the reference pages are made of (Neutron's listing of its API and
 * extensions).
 */

export interface KindEntry {
  readonly kind: string
  /** Empty for the site, whose attributes are the top level of its file. */
  readonly collection: string
  readonly plugin: string
  readonly alias: string
  readonly scope: 'project' | 'global'
  readonly summary: string
  readonly attributes: readonly AttributeEntry[]
}

export interface AttributeEntry {
  readonly name: string
  /** For people: `text`, `one of internal, veth`, `list of maps`. */
  readonly type: string
  readonly required: boolean
  /** Absent: nothing, or worked out; the summary then says what. */
  readonly default?: Json
  readonly change: Change
  /** Who added it; for the kind's own, the kind's. */
  readonly plugin: string
  readonly alias: string
  readonly summary: string
  /** Attributes of a map, or of the maps in a list. */
  readonly members: readonly MemberEntry[]
}

export type MemberEntry = Pick<AttributeEntry, 'name' | 'type' | 'required' | 'default' | 'summary'>
export type Change = 'in place' | 're-creates the resource' | 'never' | `only while no ${string} uses it`

/** An alias that brings neither kind nor attribute: it says that something can be relied on. */
export interface FeatureEntry {
  readonly alias: string
  readonly plugin: string
  readonly summary: string
}

export interface PluginEntry {
  readonly name: string
  readonly role: 'core' | 'service'
  readonly summary: string
  /** `built-in`, or path or package. */
  readonly origin: string
  /** `written`, `default`, or the plugin that requires it. */
  readonly because: string
  readonly provides: readonly string[]
  readonly requires: readonly string[]
  /** Without those that are off. */
  readonly extensions: readonly Extension[]
  /** Its own aliases that the site file turns off. */
  readonly off: readonly OffAlias[]
  /** What it cannot keep of others' promises. */
  readonly cannot: readonly Inability[]
  readonly kinds: readonly string[]
  /** `port.tags`. */
  readonly attributes: readonly string[]
  /** Attributes of every resource that nobody writes. */
  readonly computed: readonly string[]
  readonly type_drivers: readonly string[]
  readonly mechanism_drivers: readonly string[]
  /** What they say of networks' abilities: `openvswitch: no vlan_transparent (…)`. */
  readonly abilities: readonly string[]
  readonly subscriptions: readonly string[]
  readonly agent_roles: readonly string[]
}

export function kindEntries(directory: Directory): readonly KindEntry[] {
  return directory.kinds.map((kind) => {
    const owner = directory.owners.get(kind.kind) ?? { plugin: '', alias: '' }
    const { collection, scope, summary } = kind
    return {
      kind: kind.kind,
      collection,
      ...owner,
      scope,
      summary,
      attributes: attributeEntries(kind, owner, directory.added.get(kind.kind)),
    }
  })
}

/** Required ones first, then as the schema has them. */
function attributeEntries(kind: KindDefinition, owner: Owner, added: ReadonlyMap<string, Owner> | undefined): readonly AttributeEntry[] {
  const entries = members(kind.schema).map((member) => ({
    ...member,
    change: changeOf(kind, member.name),
    ...(added?.get(member.name) ?? owner),
    members: innerMembers(propertiesOf(kind.schema)[member.name]),
  }))
  return [...entries.filter((e) => e.required), ...entries.filter((e) => !e.required)]
}

function changeOf(kind: KindDefinition, name: string): Change {
  const how = name === 'id' ? 'recreate' : kind.mutability?.[name]
  if (typeof how === 'object') return `only while no ${how.immutable_while_used_by} uses it`
  return how === 'recreate' ? 're-creates the resource' : how === 'immutable' ? 'never' : 'in place'
}

function members(schema: unknown): readonly MemberEntry[] {
  const required: unknown = isRecord(schema) ? schema['required'] : undefined
  return Object.entries(propertiesOf(schema)).map(([name, property]) => {
    const own = isRecord(property) ? property : {}
    return {
      name,
      type: typeText(own),
      required: Array.isArray(required) && required.includes(name),
      ...(own['default'] === undefined ? {} : { default: own['default'] as Json }),
      summary: typeof own['description'] === 'string' ? own['description'] : '',
    }
  })
}

function innerMembers(schema: unknown): readonly MemberEntry[] {
  const inner = isRecord(schema) && isRecord(schema['items']) ? schema['items'] : schema
  return members(inner)
}

function propertiesOf(schema: unknown): Readonly<Record<string, unknown>> {
  const properties = isRecord(schema) ? schema['properties'] : undefined
  return isRecord(properties) ? properties : {}
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  null: 'null',
  object: 'map',
  array: 'list',
}

function typeText(schema: Readonly<Record<string, unknown>>): string {
  const {
    enum: words,
    items,
    type,
  } = schema as { readonly enum?: readonly unknown[]; readonly items?: JSONSchema; readonly type?: unknown }
  if (words !== undefined) return words.length === 1 ? String(words[0]) : `one of ${words.map(String).join(', ')}`
  if (type === 'array' && isRecord(items)) return `list of ${plural(typeText(items))}`
  const types = (Array.isArray(type) ? type : [type]).map((t) => WORDS[String(t)] ?? 'any value')
  return types.join(' or ')
}

function plural(type: string): string {
  return type === 'text' ? 'texts' : type === 'map' ? 'maps' : type
}

/** Aliases that bring no kind and no attribute. */
export function featureEntries(directory: Directory): readonly FeatureEntry[] {
  const bring = new Set([
    ...[...directory.owners.values()].map((o) => o.alias),
    ...directory.computed.map((c) => c.alias),
    ...[...directory.added.values()].flatMap((ofKind) => [...ofKind.values()].map((o) => o.alias)),
  ])
  return directory.extensions.filter((e) => !bring.has(e.alias)).map(({ alias, plugin, summary }) => ({ alias, plugin, summary }))
}

export function pluginEntries(directory: Directory): readonly PluginEntry[] {
  return directory.plugins.map((chosen) => pluginEntry(chosen, directory))
}

function pluginEntry({ plugin, origin, because }: ChosenPlugin, directory: Directory): PluginEntry {
  const { name, role, summary, provides, requires = [], extensions, cannot = [], agent_roles } = plugin
  return {
    name,
    role,
    summary,
    origin,
    because,
    provides,
    requires,
    extensions,
    off: directory.off.filter((o) => o.plugin === name),
    cannot,
    kinds: [...directory.owners].flatMap(([kind, owner]) => (owner.plugin === name ? [kind] : [])),
    attributes: [...directory.added].flatMap(([kind, ofKind]) =>
      [...ofKind].flatMap(([attribute, owner]) => (owner.plugin === name ? [`${kind}.${attribute}`] : [])),
    ),
    computed: (plugin.computed ?? []).flatMap((c) => c.names),
    type_drivers: (plugin.type_drivers ?? []).map((d) => d.type),
    mechanism_drivers: (plugin.mechanism_drivers ?? []).map((d) => d.name),
    abilities: (plugin.mechanism_drivers ?? []).flatMap(abilitiesOf),
    subscriptions: directory.subscriptions.filter((s) => s.plugin === name).map((s) => s.name),
    agent_roles,
  }
}

function abilitiesOf(driver: MechanismDriver): readonly string[] {
  return ABILITIES.flatMap((name) => {
    const ability = driver[name]
    if (ability === undefined) return []
    return [`${driver.name}: ${ability.can ? name : `no ${name} (${ability.why})`}`]
  })
}

/** Built-in plugins that do not run. */
export function pluginsOff(directory: Directory): readonly { readonly name: string; readonly summary: string }[] {
  return BUILT_IN.filter((p) => !directory.plugins.some((c) => c.plugin.name === p.name)).map(({ name, summary }) => ({ name, summary }))
}
