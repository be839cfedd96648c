import type { AttributeExtension } from '../../src/kinds/extension.ts'
import { type KindDefinition, NOTHING } from '../../src/kinds/kind.ts'
import type { Issue, Place } from '../../src/model/issue.ts'
import { assembleChosen, type LoadedModule } from '../../src/plugins/choose.ts'
import type { Directory } from '../../src/plugins/directory.ts'
import type { Plugin } from '../../src/plugins/plugin.ts'
import { type Named, type PluginSettings, settingsFrom } from '../../src/plugins/settings.ts'
import { servicePlugin } from '../support/plugin.ts'

export function kind(name: string, parts: Partial<KindDefinition> = {}): KindDefinition {
  return {
    kind: name,
    collection: `${name}s`,
    scope: 'project',
    summary: 'For a test.',
    schema: { type: 'object', additionalProperties: false, properties: {} },
    after: [],
    normalise: (spec) => ({ spec, findings: [] }),
    references: () => [],
    check: () => [],
    resolve: (resource) => ({ spec: resource.spec, findings: [] }),
    lower: () => NOTHING,
    ...parts,
  }
}

/** A plugin that brings kinds, under an alias of its own name. */
export function withKinds(name: string, ...definitions: readonly KindDefinition[]): Plugin {
  return servicePlugin(name, {
    extensions: [{ alias: name, summary: 'For a test.' }],
    kinds: () => definitions.map((definition) => ({ alias: name, definition })),
  })
}

export function withAttributes(name: string, ...attributes: readonly Omit<AttributeExtension, 'alias'>[]): Plugin {
  return servicePlugin(name, {
    extensions: [{ alias: name, summary: 'For a test.' }],
    attributes: attributes.map((a) => ({ alias: name, ...a })),
  })
}

export interface Made {
  readonly directory: Directory | undefined
  readonly issues: readonly Issue[]
}

/** Puts third parties' plugins together as the site file would, each on a line of its own from 10 on. */
export function together(
  plugins: readonly Plugin[],
  settings: Partial<PluginSettings> = {},
  modules: readonly LoadedModule[] = plugins.map((p) => ({ name: p.name, plugin: p })),
): Made {
  const named = plugins.map((p, i): Named => ({ name: p.name, place: line(10 + i) }))
  const made = assembleChosen(settingsFrom({ service_plugins: named, ...settings }), modules, 'test')
  return made.ok ? { directory: made.directory, issues: made.directory.warnings } : { directory: undefined, issues: made.issues }
}

export function directoryOf(...input: Parameters<typeof together>): Directory {
  const { directory, issues } = together(...input)
  if (directory === undefined) throw new Error(issues.map(said).join('\n'))
  return directory
}

export function line(n: number): Place {
  return { file: 'netloom.yaml', line: n, col: 5 }
}

/** `10: E0703 message (11: related) → hint`. */
export function said(issue: Issue): string {
  const at = (place: Place | undefined): string => (place === undefined ? '' : `${place.line}: `)
  const related = (issue.related ?? []).map((r) => ` (${at(r.place)}${r.message})`).join('')
  return `${at(issue.place)}${issue.code} ${issue.message}${related}${issue.label === undefined ? '' : ` [${issue.label}]`} → ${issue.hint ?? ''}`
}
