import type { AttributeEntry, FeatureEntry, KindEntry, MemberEntry, PluginEntry } from '../../plugins/catalogue.ts'
import { changeText, defaultText } from './catalogue.ts'

/** The pages below `docs/reference/`, by name: one for each kind, and one for the plugins. */
export function referencePages(
  kinds: readonly KindEntry[],
  features: readonly FeatureEntry[],
  plugins: readonly PluginEntry[],
): ReadonlyMap<string, string> {
  return new Map([
    ...kinds.map((kind) => [`${kind.kind}.md`, kindPage(kind)] as const),
    ['plugins.md', pluginsPage(kinds, features, plugins)],
  ])
}

const GENERATED = '<!-- Written by `npm run reference` from the kinds themselves; a test demands that it is fresh. -->'

function kindPage(kind: KindEntry): string {
  const where = kind.collection === '' ? 'The top level of `netloom.yaml`' : `A map under \`${kind.collection}:\``
  const scope = kind.scope === 'global' ? 'belongs to the whole installation' : 'belongs to a project'
  const nested = kind.attributes.filter((a) => a.members.length > 0)
  return page([
    `# ${kind.kind}`,
    GENERATED,
    '',
    kind.summary,
    '',
    `${where}; ${scope}. Plugin \`${kind.plugin}\`, alias \`${kind.alias}\`.`,
    '',
    ...table(
      ['attribute', 'type', 'default', 'a change', 'from', 'what it is'],
      kind.attributes.map((a) => [`\`${a.name}\``, a.type, defaultCell(a), changeText(a.change), `\`${a.alias}\``, a.summary]),
    ),
    ...nested.flatMap((a) => ['', `## In \`${a.name}\``, '', ...memberTable(a)]),
  ])
}

function memberTable({ members }: AttributeEntry): readonly string[] {
  return table(
    ['attribute', 'type', 'default', 'what it is'],
    members.map((m) => [`\`${m.name}\``, m.type, defaultCell(m), m.summary]),
  )
}

function defaultCell(attribute: MemberEntry): string {
  return attribute.required ? '**required**' : attribute.default === undefined ? '' : `\`${defaultText(attribute)}\``
}

function pluginsPage(kinds: readonly KindEntry[], features: readonly FeatureEntry[], plugins: readonly PluginEntry[]): string {
  return page([
    '# Plugins, kinds and features',
    GENERATED,
    '',
    'What runs where the site file says nothing. `netloom plugins` and `netloom kinds` say it of your repository, third parties’ plugins included.',
    '',
    '## Plugins',
    '',
    ...table(
      ['plugin', 'role', 'brings', 'what it is'],
      plugins.map((p) => [`\`${p.name}\``, p.because === 'default' ? `${p.role}, on by default` : p.role, bringsCell(p), p.summary]),
    ),
    '',
    '## Kinds',
    '',
    ...table(
      ['kind', 'collection', 'plugin', 'what it is'],
      kinds.map((k) => [
        `[${k.kind}](${k.kind}.md)`,
        k.collection === '' ? '`netloom.yaml`' : `\`${k.collection}\``,
        `\`${k.plugin}\``,
        k.summary,
      ]),
    ),
    '',
    '## Features: aliases without kind or attribute',
    '',
    ...table(
      ['alias', 'plugin', 'what it says'],
      features.map((f) => [`\`${f.alias}\``, `\`${f.plugin}\``, f.summary]),
    ),
  ])
}

function bringsCell(plugin: PluginEntry): string {
  const parts = [
    ...plugin.kinds.map((k) => `kind \`${k}\``),
    ...plugin.attributes.map((a) => `\`${a}\``),
    ...plugin.computed.map((name) => `\`${name}\` of every resource`),
    ...plugin.type_drivers.map((d) => `type \`${d}\``),
    ...plugin.mechanism_drivers.map((d) => `mechanism \`${d}\``),
  ]
  return parts.join(', ')
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)]
}

function page(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
