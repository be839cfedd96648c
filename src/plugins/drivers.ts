import { didYouMean } from '../lib/suggest.ts'
import type { Issue } from '../model/issue.ts'
import type { ChosenPlugin } from './conflicts.ts'
import type { Drivers } from './plugin.ts'
import { rolesOf } from './roles.ts'
import type { PluginSettings } from './settings.ts'

/** Every type driver that is there, and the mechanism drivers that the site asks for, in its order. */
export function chooseDrivers(
  order: readonly ChosenPlugin[],
  settings: PluginSettings,
): { readonly drivers: Drivers; readonly issues: readonly Issue[] } {
  const issues: Issue[] = []
  const types = new Map(order.flatMap(({ plugin }) => (plugin.type_drivers ?? []).map((d) => [d.type, d] as const)))
  const offered = order.flatMap(({ plugin }) => plugin.mechanism_drivers ?? [])
  const mechanisms = settings.mechanism_drivers.flatMap(({ name, place }) => {
    const found = offered.find((d) => d.name === name)
    if (found !== undefined) return [found]
    const names = offered.map((d) => d.name).sort()
    const near = didYouMean(name, names)
    issues.push({
      code: 'E0712',
      severity: 'error',
      message: `mechanism driver ${name} is brought by no plugin; there are ${names.join(', ') || 'none'}`,
      ...(place === undefined ? {} : { place }),
      hint: near === undefined ? 'add the plugin that brings it to service_plugins' : `did you mean ${near}?`,
    })
    return []
  })
  return { drivers: { types, mechanisms, roles: rolesOf(order) }, issues }
}
