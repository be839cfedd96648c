import { BUILT_IN, ON_BY_DEFAULT } from './index.ts'
import type { Drivers, Plugin } from './plugin.ts'

/** What built-in plugins that do not run would bring, with the step that brings it: `port.tags`, `collection routers`. */
export type Absent = ReadonlyMap<string, string>

export function absentParts(running: ReadonlySet<string>, drivers: Drivers): Absent {
  const out = new Map<string, string>()
  for (const plugin of BUILT_IN) {
    if (running.has(plugin.name) || plugin.role === 'core') continue
    const step = stepFor(plugin)
    for (const { definition } of plugin.kinds?.(drivers) ?? []) {
      out.set(absentCollection(definition.collection), step)
      out.set(absentKind(definition.kind), step)
    }
    for (const { kind, properties } of plugin.attributes ?? [])
      for (const name of Object.keys(properties)) out.set(absentAttribute(kind, name), step)
  }
  return out
}

export function absentAttribute(kind: string, attribute: string): string {
  return `${kind}.${attribute}`
}

export function absentKind(kind: string): string {
  return `kind ${kind}`
}

export function absentCollection(collection: string): string {
  return `collection ${collection}`
}

function stepFor({ name }: Plugin): string {
  const where = ON_BY_DEFAULT.includes(name) ? `take ${name} out of disabled_plugins` : `add ${name} to service_plugins`
  return `plugin ${name} brings it: ${where} in netloom.yaml`
}
