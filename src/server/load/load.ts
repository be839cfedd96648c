import { createHash } from 'node:crypto'
import type { KindDefinition } from '../../kinds/kind.ts'
import { ownNames } from '../../kinds/own-names.ts'
import { isRecord } from '../../lib/json.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding, Issue, Place, ValuePath } from '../../model/issue.ts'
import { compareIssues, hasErrors } from '../../model/issue.ts'
import { DEFAULT_PROJECT, displayKey, type Key, makeKey } from '../../model/key.ts'
import type { LoadedEntry, LoadedFile } from '../../model/resource.ts'
import type { Absent } from '../../plugins/absent.ts'
import { withoutEchoes } from './echoes.ts'
import { impliedEntries } from './implied.ts'
import { compileKinds, type KindTable, type LoadKind } from './kind-table.ts'
import { nameFault, shortened } from './names.ts'
import type { LocateInFile, ParsedDocument, ParsedEntry, ParsedFile, ParsedSection } from './parsed.ts'
import { schemaFindings } from './schema-issues.ts'
import { sectionIssue } from './section-issues.ts'

/** Turns parsed files into resources. Made once for a set of kinds; everything it does is pure. */
export interface Loader {
  readonly kinds: readonly KindDefinition[]
  /** Key under which the file's outcome may be remembered: equal for equal path, bytes, kinds and version of the program. */
  hash(path: string, bytes: Uint8Array): string
  load(parsed: ParsedFile, hash: string, locate: LocateInFile): LoadedFile
}

/**
 * `version` names the program and what it is made of: a new release must not take over what an older one remembered. `absent` says how
 * to get what is written and nobody here brings.
 */
export function createLoader(kinds: readonly KindDefinition[], version: string, absent: Absent = new Map()): Loader {
  const table = compileKinds(kinds, absent)
  const seed = createHash('sha256').update(version)
  for (const kind of kinds) seed.update(`\0${kind.kind}\0${kind.collection}\0${kind.scope}\0${JSON.stringify(kind.schema)}`)
  const fingerprint = seed.digest()
  return {
    kinds,
    hash: (path, bytes) => createHash('sha256').update(fingerprint).update(path).update('\0').update(bytes).digest('hex'),
    load: (parsed, hash, locate) => loadFile(table, parsed, hash, locate),
  }
}

/** Where the site's settings may stand, the preferred one first. */
export const SITE_PATHS: readonly string[] = ['netloom.yaml', 'netloom.yml']

function isSitePath(path: string): boolean {
  return SITE_PATHS.includes(path)
}

interface Loading {
  readonly table: KindTable
  readonly path: string
  readonly locate: LocateInFile
  readonly issues: Issue[]
  readonly entries: LoadedEntry[]
}

function loadFile(table: KindTable, parsed: ParsedFile, hash: string, locate: LocateInFile): LoadedFile {
  const loading: Loading = { table, path: parsed.path, locate, issues: [...parsed.issues], entries: [] }
  for (const document of parsed.documents) loadDocument(loading, document)
  const entries = [...loading.entries, ...impliedEntries(table.byName, loading.entries)]
  return { path: parsed.path, hash, entries, issues: withoutEchoes(loading.issues).sort(compareIssues) }
}

function loadDocument(outer: Loading, document: ParsedDocument): void {
  const loading = document.broken ? { ...outer, issues: [] } : outer
  const project = projectOf(loading, document)
  const first = document.sections[0]
  if (first?.key === 'project' && document.sections.length === 1) loading.issues.push(onlyProject(first))
  const settings: ParsedSection[] = []
  for (const section of document.sections) {
    if (section.key === 'project') continue
    const kind = loading.table.byCollection.get(section.key)
    if (kind === undefined && loading.table.settings.has(section.key) && isSitePath(loading.path)) settings.push(section)
    else if (kind === undefined || section.entries === undefined)
      loading.issues.push(sectionIssue(loading.table, section, isSitePath(loading.path)))
    else for (const entry of section.entries) loadEntry(loading, { document: document.index, kind, project, section: section.key, entry })
  }
  if (settings.length > 0) loadSite(loading, document.index, settings)
}

/** What is left of a file that was cut off behind its first line. */
function onlyProject({ place }: ParsedSection): Issue {
  const hint = 'delete the file if its resources should go, or restore its content'
  return { code: 'E0104', severity: 'error', message: 'nothing but `project` is written: nothing is deleted by that', place, hint }
}

/** Undefined when the document names an impossible project: its resources are checked, and belong nowhere. */
function projectOf(loading: Loading, document: ParsedDocument): string | undefined {
  const section = document.sections.find((s) => s.key === 'project')
  if (section === undefined) return DEFAULT_PROJECT
  const fault = typeof section.value === 'string' ? nameFault(section.value) : undefined
  if (typeof section.value === 'string' && fault === undefined) return section.value
  const quote = typeof section.value === 'number' ? `quote it: "${section.value}"` : 'write `project: name`, or leave it out'
  const message = fault === undefined ? '`project` must be the name of a project' : `project: ${fault.message}`
  const place = loading.locate(document.index, ['project'], 'value') ?? section.place
  loading.issues.push({ code: 'E0307', severity: 'error', message, place, hint: fault?.hint ?? quote })
  return undefined
}

interface Item {
  readonly document: number
  readonly kind: LoadKind
  readonly project: string | undefined
  readonly section: string
  readonly entry: ParsedEntry
}

function loadEntry(loading: Loading, item: Item): void {
  const { entry, kind } = item
  const fault = nameFault(entry.name)
  if (fault !== undefined) {
    const message = `${kind.definition.kind} ${shortened(entry.name)}: ${fault.message}`
    loading.issues.push({ code: 'E0308', severity: 'error', message, place: entry.place, hint: fault.hint })
    return
  }
  // `blue:` and `blue: {}` are the same to whoever types them.
  const value = entry.value ?? {}
  if (!isRecord(value)) {
    const place = loading.locate(item.document, [item.section, entry.name], 'value') ?? entry.place
    const message = `${kind.definition.kind} ${entry.name} must be a map of attributes`
    loading.issues.push({ code: 'E0309', severity: 'error', message, place, hint: `write \`${entry.name}: { attribute: value }\`` })
    return
  }
  addResource(loading, { ...item, name: entry.name, place: entry.place, value: value as JsonObject, path: [item.section, entry.name] })
}

function loadSite(loading: Loading, document: number, settings: readonly ParsedSection[]): void {
  const kind = loading.table.site
  const first = settings[0]
  if (kind === undefined || first === undefined) return
  const value: JsonObject = Object.fromEntries(
    settings.map((s) => [s.key, s.entries ? Object.fromEntries(s.entries.map((e) => [e.name, e.value])) : (s.value ?? null)]),
  )
  addResource(loading, { document, kind, project: '', name: 'site', place: first.place, value, path: [] })
}

interface Candidate {
  readonly document: number
  readonly kind: LoadKind
  readonly project: string | undefined
  readonly name: string
  readonly place: Place
  readonly value: JsonObject
  /** From the document's top to the resource's value. */
  readonly path: ValuePath
}

function addResource(loading: Loading, candidate: Candidate): void {
  const { kind, name, place, value } = candidate
  const { definition, validate } = kind
  const project = definition.scope === 'global' ? '' : candidate.project
  const key = makeKey(definition.kind, project ?? DEFAULT_PROJECT, name)
  if (!validate(value)) {
    for (const { onKey, ...found } of schemaFindings(displayKey(key), value, validate.errors ?? [], kind.absent)) {
      loading.issues.push(joined(loading, candidate, key, found, onKey ? 'key' : 'value'))
    }
    return
  }
  const { spec, findings } = definition.normalise(value)
  const issues = findings.map((found) => joined(loading, candidate, key, found, 'value'))
  loading.issues.push(...issues)
  if (project !== undefined && !hasErrors(issues))
    loading.entries.push({ declared: { key, kind: definition.kind, project, name, spec: ownNames(definition, spec, project) }, place })
}

/** Turns a path inside the value into a place of the file. */
function joined(loading: Loading, candidate: Candidate, key: Key, found: Finding, what: 'key' | 'value'): Issue {
  const { at = [], related, severity = 'error', code, message, label, hint } = found
  const near = candidate.path.length === 0 ? undefined : candidate.place
  const place = (path: ValuePath) =>
    path.length === 0 ? candidate.place : (loading.locate(candidate.document, [...candidate.path, ...path], what, near) ?? candidate.place)
  return {
    code,
    severity,
    message,
    place: place(at),
    ...(label === undefined ? {} : { label }),
    ...(hint === undefined ? {} : { hint }),
    ...(related === undefined
      ? {}
      : { related: related.map((r) => (r.key === key ? { message: r.message, place: place(r.at ?? []) } : { message: r.message })) }),
  }
}
