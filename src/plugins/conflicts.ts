import type { KindDefinition } from '../kinds/kind.ts'
import { isRecord } from '../lib/json.ts'
import type { Issue, Place } from '../model/issue.ts'
import type { OwnedKind, Plugin } from './plugin.ts'

/** A plugin and how it came to be loaded. */
export interface ChosenPlugin {
  readonly plugin: Plugin
  /** `built-in`, or the path or package it was loaded from. */
  readonly origin: string
  /** Where the site file names it; absent for defaults and requirements. */
  readonly place?: Place
  /** `written`, `default`, or the plugin that requires it. */
  readonly because: string
}

/** What a plugin made of the drivers. */
export interface MadePlugin {
  readonly plugin: ChosenPlugin
  readonly kinds: readonly OwnedKind[]
}

interface Claimed {
  readonly by: ChosenPlugin
  readonly what: string
}

/** One thing, one owner: service types, kinds, collections, aliases, attributes, drivers. Each clash names both plugins and where both are written. */
export function pluginConflicts(made: readonly MadePlugin[]): readonly Issue[] {
  return [
    ...clashes(made, 'E0703', 'service type', ({ plugin }) => plugin.plugin.provides),
    ...clashes(made, 'E0704', 'kind', ({ kinds }) => kinds.map((k) => k.definition.kind)),
    ...clashes(made, 'E0704', 'collection', ({ kinds }) => kinds.map((k) => k.definition.collection)),
    ...clashes(made, 'E0706', 'extension alias', ({ plugin }) => plugin.plugin.extensions.map((e) => e.alias)),
    ...clashes(made, 'E0707', 'type driver', ({ plugin }) => (plugin.plugin.type_drivers ?? []).map((d) => d.type)),
    ...clashes(made, 'E0707', 'mechanism driver', ({ plugin }) => (plugin.plugin.mechanism_drivers ?? []).map((d) => d.name)),
    ...attributeIssues(made),
  ]
}

function clashes(made: readonly MadePlugin[], code: string, what: string, of: (plugin: MadePlugin) => readonly string[]): Issue[] {
  const claims = made.flatMap((m) => of(m).map((name) => ({ name, by: m.plugin, what: `${what} ${name}` })))
  return twice(claims, code)
}

function twice(claims: readonly (Claimed & { readonly name: string })[], code: string): Issue[] {
  const first = new Map<string, Claimed>()
  const issues: Issue[] = []
  for (const claim of claims) {
    const other = first.get(claim.name)
    if (other === undefined) first.set(claim.name, claim)
    else issues.push(clash(code, claim, other))
  }
  return issues
}

function clash(code: string, claim: Claimed, other: Claimed): Issue {
  const here = claim.by.plugin.name
  const there = other.by.plugin.name
  const message =
    here === there ? `plugin ${here} brings ${claim.what} twice` : `${claim.what} is brought by two plugins: ${there} and ${here}`
  const place = claim.by.place ?? other.by.place
  const related =
    other.by.place === undefined || other.by.place === place ? [] : [{ message: `${there} is named here`, place: other.by.place }]
  return {
    code,
    severity: 'error',
    message: `${message} (${origin(other.by)}; ${origin(claim.by)})`,
    ...(place === undefined ? {} : { place }),
    related,
    hint: `take ${here} or ${there} out of service_plugins in netloom.yaml${other.by.because === 'default' ? `, or put ${there} into disabled_plugins` : ''}`,
  }
}

function origin({ plugin, origin: from, because }: ChosenPlugin): string {
  const why = because === 'written' ? '' : because === 'default' ? ', on by default' : `, required by ${because}`
  return `${plugin.name}: ${from}${why}`
}

/** An attribute for a kind that nobody brings, or that the kind or another plugin has already. */
function attributeIssues(made: readonly MadePlugin[]): readonly Issue[] {
  const issues: Issue[] = []
  const kinds = new Map(
    made.flatMap(({ plugin, kinds: own }) => own.map((k) => [k.definition.kind, { plugin, kind: k.definition }] as const)),
  )
  const owned = new Map<string, Claimed>()
  for (const [name, { plugin, kind }] of kinds) {
    for (const attribute of attributesOf(kind)) owned.set(`${name}.${attribute}`, { by: plugin, what: '' })
  }
  for (const { plugin } of made) {
    for (const extension of plugin.plugin.attributes ?? []) {
      if (!kinds.has(extension.kind)) issues.push(unknownKind(plugin, extension.kind, [...kinds.keys()]))
      for (const attribute of Object.keys(extension.properties)) {
        const name = `${extension.kind}.${attribute}`
        const claim = { by: plugin, what: `attribute ${attribute} of kind ${extension.kind}` }
        const other = owned.get(name)
        if (other === undefined) owned.set(name, claim)
        else issues.push(clash('E0705', claim, other))
      }
    }
  }
  return issues
}

function unknownKind(plugin: ChosenPlugin, kind: string, known: readonly string[]): Issue {
  return {
    code: 'E0710',
    severity: 'error',
    message: `plugin ${plugin.plugin.name} adds attributes to kind ${kind}, which nobody brings`,
    ...(plugin.place === undefined ? {} : { place: plugin.place }),
    hint: `kinds are ${[...known].sort().join(', ')}; add the plugin that brings ${kind}, or take ${plugin.plugin.name} out`,
  }
}

export function attributesOf(kind: KindDefinition): readonly string[] {
  const { schema } = kind
  const properties = isRecord(schema) ? schema['properties'] : undefined
  return isRecord(properties) ? Object.keys(properties) : []
}
