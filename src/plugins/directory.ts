import { createHash } from 'node:crypto'
import { type AttributeExtension, extendKind } from '../kinds/extension.ts'
import type { KindDefinition } from '../kinds/kind.ts'
import type { PluginChoice } from '../kinds/site/check.ts'
import { createSite } from '../kinds/site/index.ts'
import { compareIssues, hasErrors, type Issue } from '../model/issue.ts'
import { type Absent, absentParts } from './absent.ts'
import { compareSubscriptions, type Subscribed } from './callbacks.ts'
import { type ChosenPlugin, type MadePlugin, PROGRAM, pluginConflicts } from './conflicts.ts'
import { chooseDrivers } from './drivers.ts'
import { fault, isForeign, kindFaults, shapeFaults } from './faults.ts'
import { guardExtension, guardKind } from './guard.ts'
import { immutableAttributes } from './immutable.ts'
import { withoutOff } from './off.ts'
import type { ComputedAttributes, Drivers, Extension } from './plugin.ts'
import { judgePromises, type OffAlias } from './promises.ts'
import { orderPlugins } from './requirements.ts'
import { createRouter } from './roles.ts'
import { choiceOf, type PluginSettings } from './settings.ts'
import { subscriptionIssues } from './subscriptions.ts'

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
  readonly computed: readonly ComputedAttributes[]
  /** Without those that are off. */
  readonly extensions: readonly (Extension & { readonly plugin: string })[]
  readonly off: readonly OffAlias[]
  readonly drivers: Drivers
  /** In the order in which they are called. */
  readonly subscriptions: readonly Subscribed[]
  /** Changes whenever the same YAML might mean something else. */
  readonly digest: string
  /** The same for people, with the plugins' names: kept with each plan. */
  readonly registry: string
  /** What built-in plugins that do not run would bring, and what belongs to an alias that is off. */
  readonly absent: Absent
  /** What was odd, though not wrong, about the choice of plugins. */
  readonly warnings: readonly Issue[]
  /** What the site file said of plugins when they were loaded. */
  readonly running: Required<PluginChoice>
  /** The plugin that implements a service type. Throws on one that nobody does, naming those that are there. */
  service(type: string): ChosenPlugin
}

export type Assembled = { readonly ok: true; readonly directory: Directory } | { readonly ok: false; readonly issues: readonly Issue[] }

/**
 * Puts the chosen plugins together, or says everything that does not fit. Pure. `version` is the program's; `odd` is what was noticed
 * before, and is passed on.
 */
export function assemble(
  chosen: readonly ChosenPlugin[],
  settings: PluginSettings,
  version: string,
  odd: readonly Issue[] = [],
): Assembled {
  const shapes = shapeFaults(chosen)
  if (shapes.length > 0) return { ok: false, issues: [...odd, ...shapes].sort(compareIssues) }
  const { order, issues } = orderPlugins(chosen)
  const { drivers, issues: driverIssues } = chooseDrivers(order, settings)
  const made = makeKinds(order, drivers)
  const site = createSite({ types: drivers.types })
  const all: readonly MadePlugin[] = [{ plugin: PROGRAM, kinds: [{ alias: 'site', definition: site }] }, ...made.kinds]
  const promises = judgePromises(made.kinds, settings.overrides)
  const found = [
    ...odd,
    ...issues,
    ...driverIssues,
    ...made.issues,
    ...pluginConflicts(all),
    ...kindFaults(all),
    ...promises.issues,
    ...subscriptionIssues(made.kinds),
  ].sort(compareIssues)
  if (hasErrors(found)) return { ok: false, issues: found }
  return { ok: true, directory: directoryOf(all, { drivers, version, warnings: found, running: choiceOf(settings), off: promises.off }) }
}

/** A third party's module may fail here as anywhere. */
function makeKinds(
  order: readonly ChosenPlugin[],
  drivers: Drivers,
): { readonly kinds: readonly MadePlugin[]; readonly issues: readonly Issue[] } {
  const issues: Issue[] = []
  const kinds = order.map((plugin): MadePlugin => {
    try {
      return { plugin, kinds: plugin.plugin.kinds?.(drivers) ?? [] }
    } catch (error) {
      if (!isForeign(plugin)) throw error
      issues.push(fault(plugin, `\`kinds\` failed: ${error instanceof Error ? error.message : String(error)}`))
      return { plugin, kinds: [] }
    }
  })
  return { kinds, issues }
}

interface Rest {
  readonly drivers: Drivers
  readonly version: string
  readonly warnings: readonly Issue[]
  readonly running: Directory['running']
  readonly off: readonly OffAlias[]
}

/** `all` begins with the program itself. */
function directoryOf(all: readonly MadePlugin[], { drivers, version, warnings, running, off }: Rest): Directory {
  const { made, absent } = withoutOff(all, off)
  const order = made.flatMap(({ plugin }) => (plugin.plugin === PROGRAM.plugin ? [] : [plugin]))
  const router = createRouter(order)
  const attributes = order.flatMap((chosen) => {
    const { name, attributes: own = [] } = chosen.plugin
    return own.map((a) => ({ plugin: name, attribute: router.extension(chosen, isForeign(chosen) ? guardExtension(name, a) : a) }))
  })
  const alone = made.flatMap(({ kinds: own }) => own.map((k) => k.definition))
  const kinds = made
    .flatMap(({ plugin, kinds: own }) =>
      own.map(({ definition }) => {
        const kind = definition.among?.(alone) ?? definition
        return router.kind(plugin, isForeign(plugin) ? guardKind(plugin.plugin.name, kind) : kind)
      }),
    )
    .map((kind) =>
      extendKind(
        kind,
        attributes.filter((a) => a.attribute.kind === kind.kind).map((a) => a.attribute),
      ),
    )
  const digest = digestOf(order, kinds, drivers, [version, ...off.map((o) => `off ${o.alias}`)].join('\0'))
  const directory: Directory = {
    plugins: Object.freeze(order),
    kinds: Object.freeze(kinds),
    owners: new Map(
      made.flatMap(({ plugin, kinds: own }) =>
        own.map(({ alias, definition }) => [definition.kind, { plugin: plugin.plugin.name, alias }] as const),
      ),
    ),
    added: addedAttributes(attributes),
    computed: order.flatMap(({ plugin }) => plugin.computed ?? []),
    extensions: Object.freeze(order.flatMap(({ plugin }) => plugin.extensions.map((e) => ({ ...e, plugin: plugin.name })))),
    off: Object.freeze(off),
    drivers,
    subscriptions: Object.freeze([...immutableAttributes(kinds), ...subscribed(order)].sort(compareSubscriptions)),
    digest,
    registry: `${order.map(({ plugin }) => plugin.name).join(', ')} (${digest.slice(0, 12)})`,
    absent: new Map([...absentParts(new Set(order.map(({ plugin }) => plugin.name)), drivers), ...absent]),
    warnings,
    running,
    service(type) {
      const found = order.find(({ plugin }) => plugin.provides.includes(type))
      if (found !== undefined) return found
      const known = order.flatMap(({ plugin }) => plugin.provides).sort()
      throw new Error(`no plugin implements ${type}; there are ${known.join(', ')}`)
    },
  }
  return Object.freeze(directory)
}

function subscribed(order: readonly ChosenPlugin[]): readonly Subscribed[] {
  return order.flatMap(({ plugin }) => (plugin.subscriptions ?? []).map((s): Subscribed => ({ ...s, plugin: plugin.name })))
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

/** `base`: the program's version, and what is off. */
function digestOf(order: readonly ChosenPlugin[], kinds: readonly KindDefinition[], drivers: Drivers, base: string): string {
  const hash = createHash('sha256').update(base)
  for (const { plugin, origin, content } of order) hash.update(`\0plugin ${plugin.name} ${origin} ${content ?? ''}`)
  for (const kind of kinds) hash.update(`\0kind ${kind.kind} ${kind.collection} ${kind.scope} ${JSON.stringify(kind.schema)}`)
  for (const type of drivers.types.keys()) hash.update(`\0type ${type}`)
  for (const { name } of drivers.mechanisms) hash.update(`\0mechanism ${name}`)
  return hash.digest('hex').slice(0, 32)
}
