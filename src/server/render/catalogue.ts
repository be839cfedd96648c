import { tableLines } from '../../lib/text-table.ts'
import type { AttributeEntry, FeatureEntry, KindEntry, PluginEntry } from '../../plugins/catalogue.ts'
import type { OffAlias } from '../../plugins/promises.ts'
import { type Pen, penOf, type RenderStyle } from './style.ts'

/** A kind a line, then what can be relied on besides kinds, then what the site file turns off. */
export function renderKinds(
  kinds: readonly KindEntry[],
  features: readonly FeatureEntry[],
  off: readonly OffAlias[],
  style: RenderStyle = {},
): string {
  const pen = penOf(style)
  const paint = (text: string, { row }: { readonly row: number }): string => (row < 0 ? pen.dim(text) : text)
  const table = (titles: readonly string[], rows: readonly (readonly string[])[]): readonly string[] =>
    tableLines(
      titles.map((title, i) => (i === titles.length - 1 ? { title, least: 20 } : { title })),
      rows,
      { width: pen.width, ellipsis: pen.ellipsis, paint },
    )
  return pen.finish([
    ...table(
      ['KIND', 'COLLECTION', 'PLUGIN', 'ALIAS', 'WHAT IT IS'],
      kinds.map((k) => [k.kind, k.collection || 'netloom.yaml', k.plugin, k.alias, k.summary]),
    ),
    ...(features.length === 0
      ? []
      : [
          '',
          ...table(
            ['FEATURE', 'PLUGIN', 'WHAT IT SAYS'],
            features.map((f) => [f.alias, f.plugin, f.summary]),
          ),
        ]),
    ...(off.length === 0
      ? []
      : [
          '',
          ...table(
            ['OFF', 'PLUGIN', 'WHY'],
            off.map((o) => [o.alias, o.plugin, offText(o)]),
          ),
        ]),
  ])
}

/** Who cannot keep it and why, or what it builds on. */
function offText({ by, builds_on }: OffAlias): string {
  const unable = by.map(({ plugin, why }) => `${plugin} cannot keep it: ${why}`)
  return [...unable, ...builds_on.map((base) => `it builds on ${base}`)].join('; ')
}

/** One kind with all its attributes. */
export function renderKind(kind: KindEntry, style: RenderStyle = {}): string {
  const pen = penOf(style)
  const where = kind.collection === '' ? 'in netloom.yaml' : `under \`${kind.collection}:\``
  const belongs = kind.scope === 'global' ? 'belongs to no project' : 'belongs to a project'
  return pen.finish([
    `${pen.bold(kind.kind)}  ${where}, ${belongs}; plugin ${kind.plugin}, alias ${kind.alias}`,
    kind.summary,
    ...kind.attributes.flatMap((attribute) => ['', ...attributeLines(attribute, kind, pen)]),
  ])
}

function attributeLines(attribute: AttributeEntry, kind: KindEntry, pen: Pen): readonly string[] {
  const from = attribute.alias === kind.alias ? [] : [`from ${attribute.plugin} (${attribute.alias})`]
  const facts = [attribute.type, ...needed(attribute), changeText(attribute.change), ...from]
  return [
    `  ${pen.bold(attribute.name)}  ${pen.dim(facts.join('; '))}`,
    `      ${attribute.summary}`,
    ...attribute.members.map((m) => `      ${m.name}  ${pen.dim([m.type, ...needed(m)].join('; '))}  ${m.summary}`.trimEnd()),
  ]
}

export function needed(attribute: Pick<AttributeEntry, 'required' | 'default'>): readonly string[] {
  if (attribute.required) return ['required']
  return attribute.default === undefined ? [] : [`default ${defaultText(attribute)}`]
}

export function defaultText(attribute: Pick<AttributeEntry, 'default'>): string {
  return attribute.default === undefined ? '' : JSON.stringify(attribute.default)
}

export function changeText(change: AttributeEntry['change']): string {
  if (change.startsWith('only')) return `can be changed ${change}`
  return change === 'in place' ? 'changes in place' : change === 'never' ? 'cannot be changed' : 'a change re-creates the resource'
}

/** Plugins in the order of their requirements, with all they bring; then the built-in ones that do not run. */
export function renderPlugins(
  plugins: readonly PluginEntry[],
  off: readonly { readonly name: string; readonly summary: string }[],
  style: RenderStyle = {},
): string {
  const pen = penOf(style)
  return pen.finish([
    ...plugins.flatMap((plugin, i) => [...(i === 0 ? [] : ['']), ...pluginLines(plugin, pen)]),
    ...(off.length === 0 ? [] : ['', 'Built in, and off:', ...off.map((p) => `  ${pen.bold(p.name)}  ${p.summary}`)]),
  ])
}

function pluginLines(plugin: PluginEntry, pen: Pen): readonly string[] {
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ['provides', plugin.provides],
    ['requires', plugin.requires],
    ['kinds', plugin.kinds],
    ['attributes', plugin.attributes],
    ['of every resource', plugin.computed],
    ['type drivers', plugin.type_drivers],
    ['mechanism drivers', plugin.mechanism_drivers],
    ['drivers say', plugin.abilities],
    ['subscriptions', plugin.subscriptions],
    ['agent roles', plugin.agent_roles],
    ['aliases', plugin.extensions.map((e) => e.alias)],
    ['off', plugin.off.map((o) => `${o.alias} (${offText(o)})`)],
    ['cannot keep', plugin.cannot.map(({ alias, why }) => `${alias} (${why})`)],
  ]
  return [
    `${pen.bold(plugin.name)}  ${plugin.role} plugin, ${plugin.origin}${becauseText(plugin.because)}`,
    `  ${plugin.summary}`,
    ...lists.filter(([, items]) => items.length > 0).map(([title, items]) => `  ${pen.dim(`${title}:`)} ${items.join(', ')}`),
  ]
}

export function becauseText(because: string): string {
  return because === 'written' ? '' : because === 'default' ? ', on by default' : `, required by ${because}`
}
