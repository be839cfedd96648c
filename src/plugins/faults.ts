import { Ajv } from 'ajv'
import type { AttributeExtension } from '../kinds/extension.ts'
import type { KindDefinition } from '../kinds/kind.ts'
import { ABILITIES } from '../kinds/port/mechanism-driver.ts'
import { isRecord } from '../lib/json.ts'
import { topologicalOrder } from '../lib/order.ts'
import type { Issue } from '../model/issue.ts'
import type { ChosenPlugin, MadePlugin } from './conflicts.ts'

/*
 * What is wrong with a plugin by itself. Ours are held to their types by the compiler; a third party's module may be anything, and is told at boot what would
 * otherwise be an exception at the first plan.
 */

const LISTS = ['requires', 'cannot', 'attributes', 'type_drivers', 'mechanism_drivers'] as const
const DRIVER_FUNCTIONS = { type_drivers: ['candidates', 'maximumMtu'], mechanism_drivers: ['bind'] } as const
const KIND_FUNCTIONS = ['normalise', 'references', 'check', 'resolve', 'lower'] as const

/** With any of these the plugin cannot even be asked what it brings. */
export function shapeFaults(chosen: readonly ChosenPlugin[]): readonly Issue[] {
  return chosen.filter(isForeign).flatMap((one) => {
    const plugin = one.plugin as unknown as Readonly<Record<string, unknown>>
    const lists = LISTS.filter((name) => plugin[name] !== undefined && !Array.isArray(plugin[name])).map((name) => `\`${name}\` is no list`)
    const kinds = plugin['kinds'] === undefined || typeof plugin['kinds'] === 'function' ? [] : ['`kinds` is no function']
    return [...lists, ...kinds, ...roleFaults(one.plugin.agent_roles), ...inabilityFaults(plugin['cannot']), ...driverFaults(plugin)].map(
      (why) => fault(one, why),
    )
  })
}

/** They are written in YAML, and are part of what scopes are called. */
function roleFaults(roles: readonly unknown[]): readonly string[] {
  return roles.flatMap((role, i) =>
    typeof role === 'string' && /^[a-z][a-z0-9_-]*$/.test(role)
      ? []
      : [`\`agent_roles[${i}]\` is no word of small letters, digits, - and _`],
  )
}

function inabilityFaults(cannot: unknown): readonly string[] {
  if (!Array.isArray(cannot)) return []
  return cannot.flatMap((one: unknown, i) => {
    const said = isRecord(one) && [one['alias'], one['why']].every((text) => typeof text === 'string' && text !== '')
    return said ? [] : [`\`cannot[${i}]\` does not say \`alias\` and \`why\``]
  })
}

function driverFaults(plugin: Readonly<Record<string, unknown>>): readonly string[] {
  return (['type_drivers', 'mechanism_drivers'] as const).flatMap((list) => {
    const drivers: unknown = plugin[list]
    if (!Array.isArray(drivers)) return []
    return drivers.flatMap((driver: unknown, i) => [
      ...DRIVER_FUNCTIONS[list]
        .filter((name) => !isRecord(driver) || typeof driver[name] !== 'function')
        .map((name) => `\`${list}[${i}]\` has no function ${name}`),
      ...(isRecord(driver) ? ABILITIES.filter((name) => !isAbility(driver[name])) : []).map(
        (name) => `\`${list}[${i}].${name}\` is neither { can: true } nor { can: false, why: … }`,
      ),
    ])
  })
}

function isAbility(said: unknown): boolean {
  if (said === undefined) return true
  return isRecord(said) && (said['can'] === true || (said['can'] === false && typeof said['why'] === 'string' && said['why'] !== ''))
}

/** Kinds and attributes that could not be used, and readers of kinds that are not there or that wait for each other. */
export function kindFaults(made: readonly MadePlugin[]): readonly Issue[] {
  return [...made.filter((m) => isForeign(m.plugin)).flatMap(ownFaults), ...afterFaults(made)]
}

function ownFaults({ plugin, kinds }: MadePlugin): readonly Issue[] {
  const aliases = plugin.plugin.extensions.map((e) => e.alias)
  const unknownAlias = (what: string, alias: string): readonly string[] =>
    aliases.includes(alias) ? [] : [`${what} names extension ${alias}, which is not among the plugin’s \`extensions\``]
  const faults = [
    ...kinds.flatMap(({ alias, definition }) => [...unknownAlias(`kind ${definition.kind}`, alias), ...definitionFaults(definition)]),
    ...(plugin.plugin.attributes ?? []).flatMap((a) => [...unknownAlias(`an attribute of kind ${a.kind}`, a.alias), ...attributeFaults(a)]),
  ]
  return [...faults, ...promiseFaults({ plugin, kinds })].map((why) => fault(plugin, why))
}

/** What it says of its own aliases. */
export function promiseFaults({ plugin: { plugin }, kinds }: MadePlugin): readonly string[] {
  const attributes = new Map<string, boolean>(
    kinds.flatMap(({ definition: { kind, schema } }) => {
      const required: unknown = isRecord(schema) ? schema['required'] : undefined
      const properties = isRecord(schema) && isRecord(schema['properties']) ? Object.keys(schema['properties']) : []
      return properties.map((name) => [`${kind}.${name}`, Array.isArray(required) && required.includes(name)] as const)
    }),
  )
  const own = (plugin.cannot ?? []).filter(({ alias }) => plugin.extensions.some((e) => e.alias === alias))
  return [
    ...own.map(({ alias }) => `\`cannot\` names ${alias}, which is its own`),
    ...plugin.extensions.flatMap(({ alias, covers }) =>
      list(covers).flatMap((name) => {
        if (attributes.get(name) === false) return []
        return [`extension ${alias} covers ${name}, which ${attributes.has(name) ? 'is required' : 'no kind of the plugin has'}`]
      }),
    ),
  ]
}

function definitionFaults(kind: KindDefinition): readonly string[] {
  const fields: Readonly<Record<string, unknown>> = { ...kind }
  const missing = KIND_FUNCTIONS.filter((name) => typeof fields[name] !== 'function').map(
    (name) => `kind ${kind.kind} has no function ${name}`,
  )
  const lists = Array.isArray(kind.after) ? [] : [`kind ${kind.kind}: \`after\` is no list`]
  const schema = isRecord(kind.schema) ? kind.schema : {}
  const closed = schema['additionalProperties'] === false ? [] : [`kind ${kind.kind}: the schema must say \`additionalProperties: false\``]
  return [
    ...missing,
    ...lists,
    ...closed,
    ...schemaFaults(`kind ${kind.kind}`, kind.schema),
    ...reserved(`kind ${kind.kind}`, schema['properties']),
  ]
}

function attributeFaults({ kind, properties }: AttributeExtension): readonly string[] {
  return [
    ...schemaFaults(`attributes of kind ${kind}`, { type: 'object', properties }),
    ...reserved(`attributes of kind ${kind}`, properties),
  ]
}

/** In a resolved resource `ext` holds what plugins added, and `id` is every resource's own. */
function reserved(what: string, properties: unknown): readonly string[] {
  const names = isRecord(properties) ? Object.keys(properties) : []
  return names.filter((name) => name === 'ext').map((name) => `${what}: the name \`${name}\` is taken by the program`)
}

function schemaFaults(what: string, schema: unknown): readonly string[] {
  try {
    new Ajv({ strict: true, strictTypes: false, strictRequired: false, strictTuples: false, allowUnionTypes: true }).compile(
      schema as object,
    )
    return []
  } catch (error) {
    return [`${what}: the schema is refused: ${error instanceof Error ? error.message : String(error)}`]
  }
}

interface Reading {
  readonly by: ChosenPlugin
  readonly kind: string
  readonly after: string
}

function afterFaults(made: readonly MadePlugin[]): readonly Issue[] {
  const readings: Reading[] = made.flatMap(({ plugin, kinds }) => [
    ...kinds.flatMap(({ definition }) => list(definition.after).map((after) => ({ by: plugin, kind: definition.kind, after }))),
    ...(plugin.plugin.attributes ?? []).flatMap((a) => list(a.after).map((after) => ({ by: plugin, kind: a.kind, after }))),
  ])
  const known = made.flatMap((m) => m.kinds.map((k) => k.definition.kind))
  const unknown = readings
    .filter((r) => !known.includes(r.after))
    .map((r) => fault(r.by, `kind ${r.kind} comes after kind ${r.after}, which nobody brings`))
  const order = topologicalOrder(known, (kind) => readings.filter((r) => r.kind === kind).map((r) => r.after))
  if (order.ok) return unknown
  const inCircle = readings.filter((r) => order.cycle.includes(r.kind) && order.cycle.includes(r.after))
  const culprit = inCircle.find((r) => isForeign(r.by)) ?? inCircle[0]
  return culprit === undefined
    ? unknown
    : [...unknown, fault(culprit.by, `kinds come after each other in a circle: ${order.cycle.join(' → ')}`)]
}

function list(value: readonly string[] | undefined): readonly string[] {
  return Array.isArray(value) ? value : []
}

export function isForeign(plugin: ChosenPlugin): boolean {
  return plugin.origin !== 'built-in'
}

export function fault({ plugin, place }: ChosenPlugin, why: string): Issue {
  return {
    code: 'E0719',
    severity: 'error',
    message: `plugin ${plugin.name}: ${why}`,
    ...(place === undefined ? {} : { place }),
    hint: `this is a fault of the plugin: mend it (docs/writing-a-plugin.md), or take ${plugin.name} out of service_plugins in netloom.yaml`,
  }
}
