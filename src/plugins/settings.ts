import type { PluginChoice } from '../kinds/site/check.ts'
import { DEFAULT_PLUGINS } from '../kinds/site/spec.ts'
import type { Place } from '../model/issue.ts'

/** What the site file says of plugins, read before anything else: which kinds there are depends on it. */
export interface PluginSettings {
  readonly core_plugin: Named
  /** Names of built-in plugins, paths (`./x.js`, from the repository) or npm packages. */
  readonly service_plugins: readonly Named[]
  /** Default plugins that are not wanted. */
  readonly disabled_plugins: readonly Named[]
  /** Aliases that the operator does without, because a plugin cannot keep them. */
  readonly overrides: readonly Named[]
  /** In the order in which they are asked. */
  readonly mechanism_drivers: readonly Named[]
}

export interface Named {
  readonly name: string
  /** Absent: a default, nobody wrote it. */
  readonly place?: Place
}

/** As the site file has them. */
export function choiceOf(settings: PluginSettings): Required<PluginChoice> {
  const names = (list: readonly Named[]): string[] => list.map((n) => n.name)
  return {
    core_plugin: settings.core_plugin.name,
    service_plugins: names(settings.service_plugins),
    disabled_plugins: names(settings.disabled_plugins),
    overrides: names(settings.overrides),
    mechanism_drivers: names(settings.mechanism_drivers),
  }
}

/** What the site file says; where it says nothing, the default. */
export function settingsFrom(written: Partial<PluginSettings>): PluginSettings {
  return { ...settingsOf({}), ...written }
}

/** The same from a site's own words, without places. */
export function settingsOf(choice: Partial<PluginChoice>): PluginSettings {
  const named = (list: readonly string[]): readonly Named[] => list.map((name) => ({ name }))
  const { core_plugin, service_plugins, disabled_plugins, overrides, mechanism_drivers } = { ...DEFAULT_PLUGINS, ...choice }
  return {
    core_plugin: { name: core_plugin },
    service_plugins: named(service_plugins),
    disabled_plugins: named(disabled_plugins),
    overrides: named(overrides),
    mechanism_drivers: named(mechanism_drivers),
  }
}
