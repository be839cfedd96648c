import type { Issue } from '../../src/model/issue.ts'
import { assembleChosen } from '../../src/plugins/choose.ts'
import type { Directory } from '../../src/plugins/directory.ts'
import type { Plugin } from '../../src/plugins/plugin.ts'
import { settingsFrom } from '../../src/plugins/settings.ts'

/** A third party's service plugin that brings nothing but what is given. */
export function servicePlugin(name: string, parts: Partial<Plugin>): Plugin {
  return { name, role: 'service', summary: `${name}, for a test.`, provides: [], extensions: [], agent_roles: [], ...parts }
}

/** The built-in defaults and these. Throws when they do not fit together. */
export function directoryWith(...plugins: readonly Plugin[]): Directory {
  const made = assembleWith(...plugins)
  if (!made.ok) throw new Error(made.issues.map((i) => i.message).join('\n'))
  return made.directory
}

/** What speaks against them, as `code message`. */
export function faultsOf(...plugins: readonly Plugin[]): readonly string[] {
  const made = assembleWith(...plugins)
  const issues: readonly Issue[] = made.ok ? made.directory.warnings : made.issues
  return issues.map((i) => `${i.code} ${i.message}`)
}

function assembleWith(...plugins: readonly Plugin[]): ReturnType<typeof assembleChosen> {
  const names = plugins.map(({ name }, i) => ({ name: `./${name}.js`, place: { file: 'netloom.yaml', line: 3 + i, col: 5 } }))
  const modules = plugins.map((plugin) => ({ name: `./${plugin.name}.js`, plugin }))
  return assembleChosen(settingsFrom({ service_plugins: names }), modules, '')
}
