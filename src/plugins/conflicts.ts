import type { KindDefinition } from '../kinds/kind.ts'
import { isRecord } from '../lib/json.ts'
import type { Issue, Place } from '../model/issue.ts'
import type { OwnedKind, Plugin } from './plugin.ts'

/** The program itself, as the owner of the site file's kind: plugins may add to it, and bring no other. */
export const PROGRAM: ChosenPlugin = {
  plugin: { name: 'netloom', role: 'core', summary: 'The program itself.', provides: [], extensions: [], agent_roles: [] },
  origin: 'built-in',
  because: 'written',
}

/** A plugin and how it came to be loaded. */
export interface ChosenPlugin {
  readonly plugin: Plugin
  /** `built-in`, or the path or package it was loaded from. */
  readonly origin: string
  /** Where the site file names it; absent for defaults and requirements. */
  readonly place?: Place
  /** `written`, `default`, or the plugin that requires it. */
  readonly because: string
  /** Of a third party's module: a digest of its file. */
  readonly content?: string
}

/** What `requires` may say of a plugin: its name, or a service type that it implements. */
export function answersTo(plugin: Plugin, name: string): boolean {
  return plugin.name === name || plugin.provides.includes(name)
}

/** What a plugin made of the drivers. */
export interface MadePlugin {
  readonly plugin: ChosenPlugin
  readonly kinds: readonly OwnedKind[]
}

const SAME_NAME = 'E0718'

interface Claimed {
  readonly by: ChosenPlugin
  readonly what: string
}

/** One thing, one owner: names, service types, kinds, collections, aliases, attributes, drivers. Each clash names both plugins and where both are written. */
export function pluginConflicts(made: readonly MadePlugin[]): readonly Issue[] {
  return [
    ...clashes(made, SAME_NAME, 'name', ({ plugin }) => [plugin.plugin.name]),
    ...clashes(made, 'E0703', 'service type', ({ plugin }) => plugin.plugin.provides),
    ...clashes(made, 'E0704', 'kind', ({ kinds }) => kinds.map((k) => k.definition.kind)),
    ...clashes(made, 'E0704', 'collection', ({ kinds }) => kinds.map((k) => k.definition.collection)),
    ...clashes(made, 'E0706', 'extension alias', ({ plugin }) => plugin.plugin.extensions.map((e) => e.alias)),
    ...clashes(made, 'E0707', 'type driver', ({ plugin }) => (plugin.plugin.type_drivers ?? []).map((d) => d.type)),
    ...clashes(made, 'E0707', 'mechanism driver', ({ plugin }) => (plugin.plugin.mechanism_drivers ?? []).map((d) => d.name)),
    ...attributeIssues(made),
    ...siteWordIssues(made),
  ]
}

/** At the top level of the site file collections stand beside the site's settings, and `project` beside both. */
function siteWordIssues(made: readonly MadePlugin[]): readonly Issue[] {
  const site = made.find((m) => m.plugin === PROGRAM)?.kinds[0]?.definition
  const words = new Set(['', 'project', ...(site === undefined ? [] : attributesOf(site))])
  return made.flatMap(({ plugin, kinds }) => {
    if (plugin === PROGRAM) return []
    const taken = kinds.filter((k) => words.has(k.definition.collection))
    return taken.map(({ definition: { kind, collection } }): Issue => {
      const message = `plugin ${plugin.plugin.name}: kind ${kind} has the collection ${collection || '(empty)'}, a word of the site file`
      const place = plugin.place === undefined ? {} : { place: plugin.place }
      return { code: 'E0704', severity: 'error', message, ...place, hint: 'the plugin has to call its collection something else' }
    })
  })
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
    code === SAME_NAME
      ? `two plugins are called ${here}`
      : here === there
        ? `plugin ${here} brings ${claim.what} twice`
        : `${claim.what} is brought by two plugins: ${there} and ${here}`
  const place = claim.by.place ?? other.by.place
  const related =
    other.by.place === undefined || other.by.place === place ? [] : [{ message: `${there} is named here`, place: other.by.place }]
  return {
    code,
    severity: 'error',
    message: `${message} (${origin(other.by)}; ${origin(claim.by)})`,
    ...(place === undefined ? {} : { place }),
    related,
    hint: clashHint(claim.by, other.by),
  }
}

function clashHint(here: ChosenPlugin, there: ChosenPlugin): string {
  const name = here.plugin.name
  if (there === PROGRAM || there.plugin.role === 'core' || name === there.plugin.name)
    return `take ${name} out of service_plugins in netloom.yaml`
  const other = there.plugin.name
  return there.because === 'default'
    ? `put ${other} into disabled_plugins in netloom.yaml, or take ${name} out of service_plugins`
    : `take ${name} or ${other} out of service_plugins in netloom.yaml`
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
      if (!kinds.has(extension.kind) && extension.optional !== true) issues.push(unknownKind(plugin, extension.kind, [...kinds.keys()]))
      for (const attribute of Object.keys(extension.properties)) {
        const name = `${extension.kind}.${attribute}`
        const claim = { by: plugin, what: `attribute ${attribute} of kind ${extension.kind}` }
        const other = owned.get(name)
        if (other === undefined) owned.set(name, claim)
        else issues.push(clash('E0705', claim, other))
      }
    }
    const computed = (plugin.plugin.computed ?? []).flatMap((c) => c.names)
    for (const [attribute, kind] of computed.flatMap((c) => [...kinds.keys()].map((k) => [c, k] as const))) {
      const other = owned.get(`${kind}.${attribute}`)
      const claim = { by: plugin, what: `attribute ${attribute} of kind ${kind}` }
      if (other === undefined) owned.set(`${kind}.${attribute}`, claim)
      else issues.push(clash('E0705', claim, other))
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
