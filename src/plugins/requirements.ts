import { topologicalOrder } from '../lib/order.ts'
import type { Issue } from '../model/issue.ts'
import { compareText } from '../model/key.ts'
import type { ChosenPlugin } from './conflicts.ts'

/** Requirements before those who require them. What is missing, or goes in a circle, is said with the whole chain. */
export function orderPlugins(chosen: readonly ChosenPlugin[]): {
  readonly order: readonly ChosenPlugin[]
  readonly issues: readonly Issue[]
} {
  const issues: Issue[] = []
  const needed = new Map(chosen.map((c) => [c, requirementsOf(c, chosen)]))
  for (const [plugin, { missing }] of needed) {
    for (const name of missing) issues.push(missingIssue([...chainTo(plugin, needed), plugin], name))
  }
  const result = topologicalOrder(chosen, (c) => needed.get(c)?.found ?? [])
  if (result.ok) return { order: result.order, issues: [...issues, ...extensionIssues(result.order)] }
  const names = result.cycle.map((c) => c.plugin.name)
  const first = result.cycle[0]
  const message = `plugins require each other in a circle: ${names.join(' → ')}`
  const place = first?.place === undefined ? {} : { place: first.place }
  return {
    order: chosen,
    issues: [
      ...issues,
      { code: 'E0709', severity: 'error', message, ...place, hint: 'take one of them out of service_plugins in netloom.yaml' },
    ],
  }
}

function requirementsOf(
  plugin: ChosenPlugin,
  all: readonly ChosenPlugin[],
): { found: readonly ChosenPlugin[]; missing: readonly string[] } {
  const found: ChosenPlugin[] = []
  const missing: string[] = []
  for (const name of plugin.plugin.requires ?? []) {
    const other = all.find((c) => c.plugin.name === name || c.plugin.provides.includes(name))
    if (other === undefined) missing.push(name)
    else if (other !== plugin) found.push(other)
  }
  return { found, missing }
}

type Needed = ReadonlyMap<ChosenPlugin, { readonly found: readonly ChosenPlugin[] }>

/** How a plugin came to be there: those that require it, from the one that somebody wrote. */
function chainTo(plugin: ChosenPlugin, needed: Needed): readonly ChosenPlugin[] {
  const chain: ChosenPlugin[] = []
  for (let at: ChosenPlugin | undefined = plugin; at !== undefined; ) {
    const target: ChosenPlugin = at
    const by: ChosenPlugin | undefined = [...needed].find(([c, n]) => n.found.includes(target) && !chain.includes(c) && c !== plugin)?.[0]
    if (by !== undefined) chain.unshift(by)
    at = by
  }
  return chain
}

function missingIssue(chain: readonly ChosenPlugin[], name: string): Issue {
  const place = chain.find((c) => c.place !== undefined)?.place
  return {
    code: 'E0708',
    severity: 'error',
    message: `a plugin is missing: ${[...chain.map((c) => c.plugin.name), name].join(' → ')}`,
    ...(place === undefined ? {} : { place }),
    label: `${chain.at(-1)?.plugin.name ?? ''} needs ${name}, and nothing here is or implements that`,
    hint: `add ${name} to service_plugins in netloom.yaml, or take ${chain[0]?.plugin.name ?? ''} out`,
  }
}

/** An alias that builds on another one that nobody brings. */
function extensionIssues(order: readonly ChosenPlugin[]): readonly Issue[] {
  const known = new Set(order.flatMap(({ plugin }) => plugin.extensions.map((e) => e.alias)))
  return order
    .flatMap((chosen) =>
      chosen.plugin.extensions.flatMap((extension) =>
        (extension.requires ?? [])
          .filter((alias) => !known.has(alias))
          .map((alias): Issue => {
            const message = `extension ${extension.alias} of plugin ${chosen.plugin.name} builds on ${alias}, which no plugin here brings`
            return {
              code: 'E0714',
              severity: 'error',
              message,
              ...(chosen.place === undefined ? {} : { place: chosen.place }),
              hint: `add the plugin that brings ${alias}, or take ${chosen.plugin.name} out`,
            }
          }),
      ),
    )
    .sort((a, b) => compareText(a.message, b.message))
}
