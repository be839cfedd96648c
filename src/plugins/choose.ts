import { didYouMean } from '../lib/suggest.ts'
import { compareIssues, hasErrors, type Issue } from '../model/issue.ts'
import { answersTo, type ChosenPlugin } from './conflicts.ts'
import { type Assembled, assemble, type Directory } from './directory.ts'
import { BUILT_IN, ON_BY_DEFAULT } from './index.ts'
import type { Plugin } from './plugin.ts'
import { type Named, type PluginSettings, settingsFrom } from './settings.ts'

/** A third party's plugin, loaded by the edge that may. */
export interface LoadedModule {
  readonly name: string
  readonly plugin: Plugin
  /** A digest of its file: another content may do other things. */
  readonly content?: string
}

export function isBuiltIn(name: string): boolean {
  return BUILT_IN.some((p) => p.name === name)
}

/** Every plugin that is to run: the core plugin, defaults that nobody took out, what the site file names, and what these require. Pure. */
export function choosePlugins(
  settings: PluginSettings,
  modules: readonly LoadedModule[],
): { readonly chosen: readonly ChosenPlugin[]; readonly issues: readonly Issue[] } {
  const issues: Issue[] = []
  const chosen: ChosenPlugin[] = []
  const add = (named: Named, because: string): void => {
    const found = find(named.name, modules)
    if (found === undefined) issues.push(unknownPlugin(named))
    else chosen.push({ ...found, because, ...(named.place === undefined ? {} : { place: named.place }) })
  }
  add(settings.core_plugin, 'written')
  issues.push(...coreIssues(settings.core_plugin, chosen[0]), ...disabledIssues(settings.disabled_plugins))
  const disabled = new Set(settings.disabled_plugins.map((n) => n.name))
  for (const name of ON_BY_DEFAULT) if (!disabled.has(name)) add({ name }, 'default')
  const { once, repeated } = withoutRepeats(settings.service_plugins, settings.core_plugin)
  issues.push(...repeated)
  for (const named of once) {
    if (chosen.some((c) => c.because === 'default' && c.plugin.name === named.name)) continue
    const other = find(named.name, modules)
    if (other?.plugin.role === 'core') issues.push(secondCore(named, settings.core_plugin))
    else add(named, 'written')
  }
  return { chosen: withRequired(chosen), issues }
}

/** Built-in plugins that are required and that nobody named are added, and say by whom. */
function withRequired(chosen: readonly ChosenPlugin[]): readonly ChosenPlugin[] {
  const all = [...chosen]
  for (let at = 0; at < all.length; at++) {
    const by = all[at]
    for (const name of by?.plugin.requires ?? []) {
      if (all.some((c) => answersTo(c.plugin, name))) continue
      const plugin = BUILT_IN.find((p) => answersTo(p, name))
      if (plugin !== undefined) all.push({ plugin, origin: 'built-in', because: by?.plugin.name ?? '' })
    }
  }
  return all
}

function find(name: string, modules: readonly LoadedModule[]): Pick<ChosenPlugin, 'plugin' | 'origin' | 'content'> | undefined {
  const own = BUILT_IN.find((p) => p.name === name)
  if (own !== undefined) return { plugin: own, origin: 'built-in' }
  const module = modules.find((m) => m.name === name)
  if (module === undefined) return undefined
  return { plugin: module.plugin, origin: module.name, ...(module.content === undefined ? {} : { content: module.content }) }
}

function unknownPlugin({ name, place }: Named): Issue {
  const names = BUILT_IN.map((p) => p.name).sort()
  const near = didYouMean(name, names)
  return {
    code: 'E0702',
    severity: 'error',
    message: name.trim() === '' ? 'the name of a plugin is empty' : `there is no plugin ${name}`,
    ...(place === undefined ? {} : { place }),
    hint:
      near === undefined ? `built-in are ${names.join(', ')}; others are named by path (./x.js) or npm package` : `did you mean ${near}?`,
  }
}

function coreIssues(named: Named, core: ChosenPlugin | undefined): readonly Issue[] {
  if (core === undefined || core.plugin.role === 'core') return []
  const message = `core_plugin: ${named.name} is a service plugin`
  const hint = `write core_plugin: ml2, and ${named.name} among service_plugins`
  return [{ code: 'E0701', severity: 'error', message, ...(named.place === undefined ? {} : { place: named.place }), hint }]
}

function secondCore({ name, place }: Named, core: Named): Issue {
  const message = `service_plugins: ${name} is a core plugin, and ${core.name} is the core plugin here`
  const hint = `write core_plugin: ${name}, or take it out of service_plugins`
  return { code: 'E0701', severity: 'error', message, ...(place === undefined ? {} : { place }), hint }
}

function disabledIssues(disabled: readonly Named[]): readonly Issue[] {
  return disabled
    .filter(({ name }) => !ON_BY_DEFAULT.includes(name))
    .map(({ name, place }): Issue => {
      const message = `disabled_plugins: ${name} is not on by default`
      const hint = `on by default are ${ON_BY_DEFAULT.join(', ')}`
      return { code: 'E0716', severity: 'error', message, ...(place === undefined ? {} : { place }), hint }
    })
}

function withoutRepeats(named: readonly Named[], core: Named): { readonly once: readonly Named[]; readonly repeated: readonly Issue[] } {
  const once: Named[] = []
  const repeated: Issue[] = []
  for (const one of named) {
    const first = [core, ...once].find((o) => o.name === one.name)
    if (first === undefined) once.push(one)
    else {
      const related = first.place === undefined ? [] : [{ message: 'named here first', place: first.place }]
      const place = one.place === undefined ? {} : { place: one.place }
      const message = first === core ? `service_plugins: ${one.name} is the core plugin already` : `plugin ${one.name} is named twice`
      repeated.push({
        code: 'W0713',
        severity: 'warning',
        message,
        ...place,
        related,
        hint: `remove ${first === core ? 'it' : 'one'}; it is loaded once`,
      })
    }
  }
  return { once, repeated }
}

/** From settings and loaded modules to a directory, or every reason why there is none. */
export function assembleChosen(settings: PluginSettings, modules: readonly LoadedModule[], version: string): Assembled {
  const { chosen, issues } = choosePlugins(settings, modules)
  if (hasErrors(issues)) return { ok: false, issues: [...issues].sort(compareIssues) }
  return assemble(chosen, settings, version, issues)
}

/** What runs where the site file says nothing of plugins. */
export function defaultDirectory(version = ''): Directory {
  const made = assembleChosen(settingsFrom({}), [], version)
  if (!made.ok) throw new Error(`the built-in plugins do not fit together: ${made.issues.map((i) => i.message).join('; ')}`)
  return made.directory
}
