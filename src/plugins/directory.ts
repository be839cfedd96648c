import { createHash } from 'node:crypto'
import { type AttributeExtension, extendKind } from '../kinds/extension.ts'
import type { KindDefinition } from '../kinds/kind.ts'
import { createSite } from '../kinds/site/index.ts'
import { compareIssues, hasErrors, type Issue } from '../model/issue.ts'
import { compareSubscriptions, type Subscribed } from './callbacks.ts'
import { type ChosenPlugin, pluginConflicts } from './conflicts.ts'
import { chooseDrivers } from './drivers.ts'
import type { Drivers, Extension } from './plugin.ts'
import { orderPlugins } from './requirements.ts'
import { choiceOf, type PluginSettings } from './settings.ts'

/** Who brings something: shown by `netloom kinds` and in errors. */
export interface Owner {
  readonly plugin: string
  readonly alias: string
}

/**
 * All that a server can do, frozen after boot: plugins in the order of their requirements, kinds with everything that was added to them, drivers, callbacks. Made
 * before a socket is bound or a database touched.
 */
export interface Directory {
  readonly plugins: readonly ChosenPlugin[]
  /** The site's kind comes first. */
  readonly kinds: readonly KindDefinition[]
  readonly owners: ReadonlyMap<string, Owner>
  /** Kind → attribute that was added to it → who added it. */
  readonly added: ReadonlyMap<string, ReadonlyMap<string, Owner>>
  readonly extensions: readonly (Extension & { readonly plugin: string })[]
  readonly drivers: Drivers
  readonly subscriptions: readonly Subscribed[]
  /** Changes whenever the same YAML might mean something else: kept with each plan. */
  readonly digest: string
  /** The plugin that implements a service type. Throws on one that nobody does, naming those that are there. */
  service(type: string): ChosenPlugin
}

export type Assembled =
  | { readonly ok: true; readonly directory: Directory; readonly issues: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] }

/** Puts the chosen plugins together, or says everything that does not fit. Pure. `version` is the program's. */
export function assemble(chosen: readonly ChosenPlugin[], settings: PluginSettings, version: string): Assembled {
  const { order, issues } = orderPlugins(chosen)
  const { drivers, issues: driverIssues } = chooseDrivers(order, settings)
  const made = order.map((plugin) => ({ plugin, kinds: plugin.plugin.kinds?.(drivers) ?? [] }))
  const all = [...issues, ...driverIssues, ...pluginConflicts(made)].sort(compareIssues)
  if (hasErrors(all)) return { ok: false, issues: all }

  const owners = new Map<string, Owner>([['site', { plugin: 'netloom', alias: 'site' }]])
  const site = createSite({ types: drivers.types, running: choiceOf(settings) })
  const attributes = order.flatMap(({ plugin }) => (plugin.attributes ?? []).map((a) => ({ plugin: plugin.name, attribute: a })))
  const alone = [site, ...made.flatMap(({ kinds: own }) => own.map((k) => k.definition))]
  const kinds = alone.map((kind) =>
    extendKind(
      kind.among?.(alone) ?? kind,
      attributes.filter((a) => a.attribute.kind === kind.kind).map((a) => a.attribute),
    ),
  )
  for (const { plugin, kinds: own } of made) {
    for (const { alias, definition } of own) owners.set(definition.kind, { plugin: plugin.plugin.name, alias })
  }
  const directory: Directory = {
    plugins: order,
    kinds,
    owners,
    added: addedAttributes(attributes),
    extensions: order.flatMap(({ plugin }) => plugin.extensions.map((e) => ({ ...e, plugin: plugin.name }))),
    drivers,
    subscriptions: order
      .flatMap(({ plugin }) => (plugin.subscriptions ?? []).map((s): Subscribed => ({ ...s, plugin: plugin.name })))
      .sort(compareSubscriptions),
    digest: digestOf(order, kinds, drivers, version),
    service(type) {
      const found = order.find(({ plugin }) => plugin.provides.includes(type))
      if (found !== undefined) return found
      const known = order.flatMap(({ plugin }) => plugin.provides).sort()
      throw new Error(`no plugin implements ${type}; there are ${known.join(', ')}`)
    },
  }
  return { ok: true, directory: Object.freeze(directory), issues: all }
}

function addedAttributes(
  attributes: readonly { readonly plugin: string; readonly attribute: AttributeExtension }[],
): ReadonlyMap<string, ReadonlyMap<string, Owner>> {
  const out = new Map<string, Map<string, Owner>>()
  for (const { plugin, attribute } of attributes) {
    const ofKind = out.get(attribute.kind) ?? new Map<string, Owner>()
    for (const name of Object.keys(attribute.properties)) ofKind.set(name, { plugin, alias: attribute.alias })
    out.set(attribute.kind, ofKind)
  }
  return out
}

function digestOf(order: readonly ChosenPlugin[], kinds: readonly KindDefinition[], drivers: Drivers, version: string): string {
  const hash = createHash('sha256').update(version)
  for (const { plugin, origin } of order) hash.update(`\0plugin ${plugin.name} ${origin}`)
  for (const kind of kinds) hash.update(`\0kind ${kind.kind} ${kind.collection} ${kind.scope} ${JSON.stringify(kind.schema)}`)
  for (const type of drivers.types.keys()) hash.update(`\0type ${type}`)
  for (const { name } of drivers.mechanisms) hash.update(`\0mechanism ${name}`)
  return hash.digest('hex').slice(0, 32)
}
