import { didYouMean } from '../lib/suggest.ts'
import type { Issue, Place } from '../model/issue.ts'
import type { ChosenPlugin, MadePlugin } from './conflicts.ts'
import type { Extension } from './plugin.ts'
import type { Named } from './settings.ts'

/*
 * An alias is a promise to everybody. A plugin may be unable to keep one that another plugin makes; Neutron then drops it for all without a word
 * (`disable_extension_by_service_plugin`). Here that ends the start, unless the operator says with `overrides` that he does without it.
 */

/** An alias that is off, because the site file says so. */
export interface OffAlias {
  readonly alias: string
  /** Who brings it. */
  readonly plugin: string
  readonly summary: string
  /** Who cannot keep it. Empty where only an alias that it builds on is off. */
  readonly by: readonly { readonly plugin: string; readonly why: string }[]
  /** Aliases that it builds on and that are off. */
  readonly builds_on: readonly string[]
}

interface Promised {
  readonly by: ChosenPlugin
  readonly extension: Extension
}

interface Shortfall {
  readonly by: ChosenPlugin
  readonly alias: string
  readonly why: string
}

/** What is off, and what speaks against it: promises that nobody keeps and nobody gave up, and overrides that make no sense. */
export function judgePromises(
  made: readonly MadePlugin[],
  overrides: readonly Named[],
): { readonly off: readonly OffAlias[]; readonly issues: readonly Issue[] } {
  const promised = new Map<string, Promised>(
    made.flatMap(({ plugin: by }) => by.plugin.extensions.map((extension) => [extension.alias, { by, extension }] as const)),
  )
  const shortfalls = made
    .flatMap(({ plugin: by }) => (by.plugin.cannot ?? []).map((c): Shortfall => ({ by, ...c })))
    .filter(({ alias, by }) => promised.has(alias) && promised.get(alias)?.by !== by)
  const off = offAliases(promised, shortfalls, new Set(overrides.map((o) => o.name)))
  const names = new Set(off.map((o) => o.alias))
  const missing = shortfalls.filter((s) => !names.has(s.alias))
  const all = [...new Set([...overrides.map((o) => o.name).filter((name) => promised.has(name)), ...missing.map((s) => s.alias)])]
  const given = (alias: string): Named | undefined => overrides.find((o) => o.name === alias)
  return {
    off,
    issues: [
      ...missing.map((s) => unkept(s, promised.get(s.alias), all)),
      ...overrides.filter((o) => !names.has(o.name)).map((o) => pointless(o, promised)),
      ...off.flatMap((o) => readersOf(o.alias, names, made, given(o.alias))),
      ...[...promised.values()].flatMap((p) => (names.has(p.extension.alias) ? [] : groundless(p, names, given))),
    ],
  }
}

/** In the order of the plugins: what is given up and not kept by somebody, then what is given up because it builds on such. */
function offAliases(
  promised: ReadonlyMap<string, Promised>,
  shortfalls: readonly Shortfall[],
  overrides: ReadonlySet<string>,
): readonly OffAlias[] {
  const off = new Set(shortfalls.map((s) => s.alias).filter((alias) => overrides.has(alias)))
  for (let before = -1; before < off.size; ) {
    before = off.size
    for (const [alias, { extension }] of promised)
      if (overrides.has(alias) && (extension.requires ?? []).some((base) => off.has(base))) off.add(alias)
  }
  return [...promised].flatMap(([alias, { by, extension }]) => {
    if (!off.has(alias)) return []
    const who = shortfalls.filter((s) => s.alias === alias).map((s) => ({ plugin: s.by.plugin.name, why: s.why }))
    const builds_on = (extension.requires ?? []).filter((base) => off.has(base))
    return [{ alias, plugin: by.plugin.name, summary: extension.summary, by: who, builds_on }]
  })
}

/** `all`: the list that the site file would have to have. */
function unkept({ by, alias, why }: Shortfall, promised: Promised | undefined, all: readonly string[]): Issue {
  const name = by.plugin.name
  const promiser = promised?.by
  const related =
    promiser?.place === undefined ? [] : [{ message: `${promiser.plugin.name}, which promises it, is named here`, place: promiser.place }]
  return {
    code: 'E0727',
    severity: 'error',
    message: `plugin ${name} cannot keep ${alias}, which plugin ${promiser?.plugin.name ?? ''} promises: ${why}`,
    ...at(by.place),
    related,
    hint: `write overrides: [${all.join(', ')}] in netloom.yaml to do without ${all.length === 1 ? 'it' : 'them'} everywhere, or take ${name} out of service_plugins`,
  }
}

/** An override that turns nothing off. */
function pointless({ name, place }: Named, promised: ReadonlyMap<string, Promised>): Issue {
  if (promised.has(name)) {
    const message = `overrides: every plugin here keeps ${name}, so it stays on`
    return { code: 'W0728', severity: 'warning', message, ...at(place), hint: `take ${name} out of overrides` }
  }
  const near = didYouMean(name, [...promised.keys()])
  return {
    code: 'E0729',
    severity: 'error',
    message: `overrides: no plugin here brings an alias ${name}`,
    ...at(place),
    hint: near === undefined ? '`netloom plugins` lists the aliases of each plugin' : `did you mean ${near}?`,
  }
}

/** Kinds that read a kind of the alias could not be judged without it. */
function readersOf(alias: string, off: ReadonlySet<string>, made: readonly MadePlugin[], given: Named | undefined): readonly Issue[] {
  const gone = made.flatMap(({ kinds }) => kinds.filter((k) => k.alias === alias).map((k) => k.definition.kind))
  const readers = made.flatMap(({ plugin, kinds }) => [
    ...kinds.filter((k) => !off.has(k.alias)).map(({ definition }) => definition),
    ...(plugin.plugin.attributes ?? []).filter((a) => !off.has(a.alias)).map((a) => ({ kind: a.kind, after: a.after ?? [] })),
  ])
  return gone.flatMap((kind) => {
    const names = [...new Set(readers.filter((r) => r.kind !== kind && r.after.includes(kind)).map((r) => r.kind))].sort()
    if (names.length === 0) return []
    const message = `overrides: ${alias} cannot be off, for it brings kind ${kind}, which ${names.join(', ')} cannot do without`
    const hint = `take ${alias} out of overrides, and the plugin that cannot keep it out of service_plugins`
    return [{ code: 'E0730', severity: 'error' as const, message, ...at(given?.place), hint }]
  })
}

/** An alias that builds on one that is off. */
function groundless(
  { by, extension: { alias, requires = [] } }: Promised,
  off: ReadonlySet<string>,
  given: (alias: string) => Named | undefined,
): readonly Issue[] {
  return requires
    .filter((base) => off.has(base))
    .map((base): Issue => {
      const message = `overrides: ${alias} of plugin ${by.plugin.name} builds on ${base}, which is to be off`
      return { code: 'E0731', severity: 'error', message, ...at(given(base)?.place), hint: `add ${alias} to overrides too` }
    })
}

function at(place: Place | undefined): { readonly place?: Place } {
  return place === undefined ? {} : { place }
}
