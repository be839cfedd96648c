import { createHash } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isRecord } from '../lib/json.ts'
import type { Json } from '../model/brand.ts'
import { compareIssues, hasErrors, type Issue } from '../model/issue.ts'
import { PLUGIN_API } from '../plugins/api.ts'
import { assembleChosen, isBuiltIn, type LoadedModule } from '../plugins/choose.ts'
import type { Assembled, Directory } from '../plugins/directory.ts'
import type { Plugin } from '../plugins/plugin.ts'
import { type Named, type PluginSettings, settingsFrom } from '../plugins/settings.ts'
import { VERSION } from './context.ts'
import { SITE_PATHS } from './load/load.ts'
import type { ParsedFile } from './load/parsed.ts'
import { repositoryOf } from './repo/inside.ts'
import { fileLocator } from './repo/locate.ts'
import type { RepoSource } from './repo/looker.ts'
import { parseFile } from './repo/parse.ts'
import { readBlobs, resolveCommit } from './repo/read-commit.ts'
import { runGit } from './repo/run-git.ts'

const IMPORT_MS = 10_000

/** The plugins do not fit together: every reason, with its place. */
export class BootError extends Error {
  readonly dir: string
  readonly issues: readonly Issue[]
  constructor(dir: string, issues: readonly Issue[]) {
    super(issues.map((i) => `${i.code} ${i.message}`).join('; '))
    this.name = 'BootError'
    this.dir = dir
    this.issues = issues
  }
}

/**
 * First of all: which plugins run. Reads their names from the repository's site file, loads third parties' modules and puts everything together. No socket is
 * bound and nothing written before this has succeeded. Where the site file cannot be read, `former` says what ran before (default: the built-in defaults): reading the whole
 * repository will find the mistake again, and nothing is planned until it is mended. Throws `BootError`.
 */
export async function boot(
  dir: string,
  source: RepoSource,
  former: () => Promise<PluginSettings> = async () => settingsFrom({}),
): Promise<Directory> {
  const settings = (await readSettings(dir, source)) ?? (await former())
  const made = await load(dir, settings)
  if (!made.ok) throw new BootError(dir, made.issues)
  return made.directory
}

async function load(dir: string, settings: PluginSettings): Promise<Assembled> {
  const modules: LoadedModule[] = []
  const failed = new Map<string, Issue>()
  for (const named of [settings.core_plugin, ...settings.service_plugins]) {
    if (isBuiltIn(named.name) || failed.has(named.name) || modules.some((m) => m.name === named.name)) continue
    const loaded = await loadModule(dir, named)
    if (loaded === undefined) continue
    if ('plugin' in loaded) modules.push(loaded)
    else failed.set(named.name, loaded)
  }
  if (failed.size === 0) return assembleChosen(settings, modules, VERSION)
  // What else is wrong is said at the same time.
  const rest = {
    ...settings,
    ...(failed.has(settings.core_plugin.name) ? { core_plugin: settingsFrom({}).core_plugin } : {}),
    service_plugins: settings.service_plugins.filter((n) => !failed.has(n.name)),
  }
  const made = assembleChosen(rest, modules, VERSION)
  return { ok: false, issues: [...failed.values(), ...(made.ok ? made.directory.warnings : made.issues)].sort(compareIssues) }
}

/** Undefined when the site file is there and cannot be read. */
async function readSettings(dir: string, source: RepoSource): Promise<PluginSettings | undefined> {
  for (const path of SITE_PATHS) {
    const bytes =
      source.from === 'worktree' ? await readInside(dir, path).catch(() => undefined) : await readCommitted(dir, source.ref, path)
    if (bytes === undefined) continue
    const parsed = parseFile(path, bytes)
    return hasErrors(parsed.issues) ? undefined : settingsFrom(writtenIn(parsed, path, bytes))
  }
  return settingsFrom({})
}

/** Undefined when the file is a link out of the repository: reading the repository will say so. */
async function readInside(dir: string, path: string): Promise<Uint8Array | undefined> {
  const real = await realpath(join(dir, path))
  return repositoryOf(dir)(real) ? await readFile(real) : undefined
}

/** Undefined when the commit, or the file in it, does not exist: reading the repository will say so. */
async function readCommitted(dir: string, ref: string, path: string): Promise<Uint8Array | undefined> {
  try {
    const commit = await resolveCommit(dir, ref)
    const id = (await runGit(dir, ['rev-parse', '--verify', '--quiet', `${commit}:./${path}`])).toString().trim()
    return (await readBlobs(dir, [id])).get(id)
  } catch {
    return undefined
  }
}

const LISTS = ['service_plugins', 'disabled_plugins', 'overrides', 'mechanism_drivers'] as const

function isList(key: string): key is (typeof LISTS)[number] {
  return LISTS.some((name) => name === key)
}

/** A value of the wrong shape is left out here: the site's schema will point at it. */
function writtenIn(parsed: ParsedFile, path: string, bytes: Uint8Array): Partial<PluginSettings> {
  const locator = fileLocator(path, bytes)
  const found: { -readonly [K in keyof PluginSettings]?: PluginSettings[K] } = {}
  for (const { index, sections } of parsed.documents) {
    for (const { key, value, place } of sections) {
      if (key === 'core_plugin' && typeof value === 'string') found.core_plugin = { name: value, place }
      if (!isList(key)) continue
      if (!isTexts(value) || (key === 'mechanism_drivers' && value.length === 0)) continue
      found[key] = value.map((name, i): Named => {
        const at = locator.inDocument(index, [key, i], 'value') ?? place
        return { name, place: at }
      })
    }
  }
  return found
}

function isTexts(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((v) => typeof v === 'string')
}

/** Paths are taken from the repository, packages from its node_modules or the program's own. Undefined: a single word that is no package, so a misspelt name. */
async function loadModule(dir: string, named: Named): Promise<LoadedModule | Issue | undefined> {
  const { name } = named
  try {
    const file = name.startsWith('.') || isAbsolute(name) ? resolve(dir, name) : locatePackage(dir, name)
    if (file === undefined) return /^\w*$/.test(name) ? undefined : moduleIssue(named, 'there is no such package')
    const content = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
    const plugin = await withoutExit(async () => {
      const module: unknown = await inTime(import(pathToFileURL(file).href))
      const exported = isRecord(module) ? (module as { readonly plugin?: unknown }).plugin : undefined
      return typeof exported === 'function' ? (exported as (api: typeof PLUGIN_API) => unknown)(PLUGIN_API) : exported
    })
    if (isPlugin(plugin)) return { name, plugin, content }
    return moduleIssue(named, 'it exports no `plugin` with name, role, summary, provides, extensions and agent_roles')
  } catch (error) {
    return moduleIssue(named, isMissing(error) ? 'there is no such file' : error instanceof Error ? error.message : String(error))
  }
}

/** A module that ends the process would end every command with it, as if all were well and without a word. */
async function withoutExit(work: () => Promise<unknown>): Promise<unknown> {
  const { exit } = process
  try {
    return await new Promise<unknown>((resolve, reject) => {
      process.exit = (code) => {
        const error = new Error(`it ends the process: process.exit(${code ?? ''})`)
        reject(error)
        throw error
      }
      work().then(resolve, reject)
    })
  } finally {
    process.exit = exit
  }
}

/** A module that waits for something at import would hold up every command without a word. */
async function inTime(loading: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it has not finished loading after ${IMPORT_MS / 1000} s`)), IMPORT_MS)
  })
  try {
    return await Promise.race([loading, late])
  } finally {
    clearTimeout(timer)
  }
}

function locatePackage(dir: string, name: string): string | undefined {
  for (const from of [join(resolve(dir), 'netloom.yaml'), import.meta.url]) {
    try {
      const file = createRequire(from).resolve(name)
      // Node's own modules are found by their names alone.
      if (isAbsolute(file)) return file
    } catch {
      // Not from here.
    }
  }
  return undefined
}

function isMissing(error: unknown): boolean {
  return isRecord(error) && error['code'] === 'ENOENT'
}

function moduleIssue({ name, place }: Named, why: string): Issue {
  return {
    code: 'E0711',
    severity: 'error',
    message: `plugin ${name} cannot be loaded: ${why.split('\n')[0] ?? ''}`,
    ...(place === undefined ? {} : { place }),
    hint: 'name a built-in plugin, a path from the repository such as ./plugins/x.js, or an installed npm package',
  }
}

function isPlugin(value: unknown): value is Plugin {
  if (!isRecord(value)) return false
  const texts = ['name', 'summary'].every((key) => typeof value[key] === 'string' && value[key] !== '')
  const lists = ['provides', 'extensions', 'agent_roles'].every((key) => Array.isArray(value[key]))
  return texts && lists && (value['role'] === 'core' || value['role'] === 'service')
}
