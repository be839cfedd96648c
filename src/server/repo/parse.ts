import { Composer, type Document, isAlias, isMap, Parser, type YAMLError } from 'yaml'
import type { Issue } from '../../model/issue.ts'
import type { ParsedDocument, ParsedEntry, ParsedFile, ParsedSection } from '../load/parsed.ts'
import { parseFast } from './fast.ts'
import { members, type PlainContext, placeOf, plain, plainContext, refuseTag, report } from './plain.ts'
import { decode, deepIssue, inspect, makeSource, placeAt, type Source, tooDeep } from './source.ts'
import { syntaxIssue } from './syntax-issue.ts'

/** YAML 1.2, core schema; duplicate keys are looked for by `plain.ts`, because the library's own check is quadratic in the keys of a map. */
export const YAML_OPTIONS = {
  version: '1.2',
  schema: 'core',
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: 'silent',
  merge: false,
} as const

/** Larger files are refused: nothing an operator writes by hand is, and one string of it would fill the heap. */
export const MAX_BYTES: number = 64 * 1024 * 1024
/** From here on a note advises to split the file. */
const HUGE_BYTES = 4 * 1024 * 1024
/** Errors shown per file; the ones behind are mostly echoes of the first. */
const MAX_SYNTAX_ISSUES = 20

/**
 * Reads the bytes of one YAML file. Pure; never throws. Collects every mistake; with an error among the issues the documents are what could
 * still be made out, good for further checks and never for a plan. Nothing of the syntax tree is kept.
 */
export function parseFile(path: string, bytes: Uint8Array): ParsedFile {
  const source = open(path, bytes)
  if ('code' in source) return { path, bytes: bytes.length, documents: [], issues: [source] }
  const fast = parseFast(path, source.text, (text) => parseByLibrary(makeSource(path, text)))
  return fast === undefined
    ? finished(path, bytes, parseByLibrary(source))
    : finished(path, bytes, { documents: [fast.document], issues: fast.issues })
}

/** `parseFile` for files that need little of the YAML library: `mayAsk` is asked before each time. Undefined for all others. */
export function parseIfPlain(path: string, bytes: Uint8Array, mayAsk: () => boolean): ParsedFile | undefined {
  const source = open(path, bytes)
  if ('code' in source) return { path, bytes: bytes.length, documents: [], issues: [source] }
  const fast = parseFast(path, source.text, (text) => (mayAsk() ? parseByLibrary(makeSource(path, text)) : NOTHING))
  return fast === undefined ? undefined : finished(path, bytes, { documents: [fast.document], issues: fast.issues })
}

interface Outcome {
  readonly documents: readonly ParsedDocument[]
  readonly issues: readonly Issue[]
}

const NOTHING: Outcome = { documents: [], issues: [] }

/** The text, or why it is not worth parsing. */
function open(path: string, bytes: Uint8Array): Source | Issue {
  if (bytes.length > MAX_BYTES) return tooLarge(path, bytes.length)
  const decoded = decode(path, bytes)
  if ('issue' in decoded) return decoded.issue
  const source = makeSource(path, decoded.text)
  return inspect(source) ?? source
}

function finished(path: string, bytes: Uint8Array, { documents, issues }: Outcome): ParsedFile {
  const note = bytes.length > HUGE_BYTES ? [hugeNote(path, bytes.length)] : []
  return { path, bytes: bytes.length, documents, issues: [...issues, ...note] }
}

/** Every document through the YAML library. */
export function parseByLibrary(source: Source): Outcome {
  const deep = tooDeep(source)
  if (deep !== undefined) return { documents: [], issues: [deep] }
  const issues: Issue[] = []
  const documents = parseDocuments(source, issues)
  return { documents, issues }
}

function parseDocuments(source: Source, issues: Issue[]): ParsedDocument[] {
  const documents: ParsedDocument[] = []
  try {
    for (const document of composeDocuments(source.text)) documents.push(parseDocument(source, document, documents.length, issues))
  } catch (error) {
    // The library recurses per level of nesting; `inspect` refuses what could reach the stack's end, this is the net under it.
    if (!(error instanceof RangeError)) throw error
    issues.push(deepIssue(source, 0))
    return []
  }
  if (documents.length === 0) issues.push(emptyIssue(source, 0, 'the file is empty'))
  return documents
}

/** The documents of a stream, one at a time, so that a tree can be dropped before the next is made. */
export function* composeDocuments(text: string): Iterable<Document.Parsed> {
  const composer = new Composer(YAML_OPTIONS)
  let any = false
  for (const document of composer.compose(new Parser().parse(text))) {
    any = true
    yield document as Document.Parsed
  }
  const { errors } = composer.streamInfo()
  if (!any && errors.length > 0)
    yield* new Composer(YAML_OPTIONS).compose(new Parser().parse(text), true, text.length) as Iterable<Document.Parsed>
}

function parseDocument(source: Source, document: Document.Parsed, index: number, issues: Issue[]): ParsedDocument {
  const faults = faultsOf(document)
  for (const fault of faults.slice(0, MAX_SYNTAX_ISSUES)) issues.push(syntaxIssue(source, document, fault))
  if (faults.length > MAX_SYNTAX_ISSUES)
    issues.push(moreFaults(source, faults.length - MAX_SYNTAX_ISSUES, faults[MAX_SYNTAX_ISSUES]?.pos[0] ?? 0))
  const old = document.directives.yaml.explicit === true && document.directives.yaml.version !== '1.2'
  if (old) issues.push(versionIssue(source, document))
  const broken = old || faults.length > 0
  const root = document.contents
  if (isMap(root) && root.items.length > 0) return { index, broken, sections: sections(plainContext(source, issues), root) }
  const empty = root === null || isMap(root) || (root as { value?: unknown }).value === null
  if (empty && faults.length === 0) {
    const at = document.range?.[0] ?? 0
    issues.push(
      emptyIssue(source, Math.min(at, Math.max(0, source.text.length - 1)), index === 0 ? 'the file is empty' : 'the document is empty'),
    )
  } else if (!empty) {
    issues.push({
      code: 'E0306',
      severity: 'error',
      message: 'the top level must be a map of collections',
      place: placeOf(source, root),
      label: 'this is no `key: value`',
      hint: 'start with a collection, e.g. `networks:`, and indent its members below it',
    })
  }
  return { index, broken, sections: [] }
}

/** Warnings too: a file read by guess must not move a network. Unresolved tags are reported by `plain.ts`, with all the other tags. */
function faultsOf(document: Document.Parsed): readonly YAMLError[] {
  return [...document.errors, ...document.warnings]
    .filter((fault) => !(fault.code === 'TAG_RESOLVE_FAILED' && fault.message.startsWith('Unresolved tag')))
    .sort((a, b) => a.pos[0] - b.pos[0])
}

function sections(context: PlainContext, root: Parameters<typeof members>[1]): ParsedSection[] {
  return members(context, root).map(({ name, place, value }) => {
    if (!isMap(value)) return { key: name, place, value: isAlias(value) ? refuseReuse(context, value) : plain(context, value, 1) }
    refuseTag(context, value)
    if (value.anchor) refuseReuse(context, value)
    const entries: ParsedEntry[] = members(context, value).map((member) => ({
      name: member.name,
      place: member.place,
      value: plain(context, member.value, 2),
    }))
    return { key: name, place, entries }
  })
}

/** Anchors serve values inside resources; a whole collection under two names would only ever be a mistake. */
function refuseReuse(context: PlainContext, node: unknown): null {
  report(context, node, 'E0109', 'a whole collection can be neither anchor nor alias', 'write the members out')
  return null
}

function emptyIssue(source: Source, at: number, message: string): Issue {
  return {
    code: 'E0104',
    severity: 'error',
    message: `${message}: nothing is deleted by an empty file`,
    place: placeAt(source, at),
    hint: 'delete the file if its resources should go, or restore its content',
  }
}

function versionIssue(source: Source, document: Document.Parsed): Issue {
  const at = Math.max(0, source.text.indexOf('%YAML'))
  return {
    code: 'E0118',
    severity: 'error',
    message: `YAML ${document.directives.yaml.version} is not supported`,
    place: placeAt(source, at, at + 9),
    hint: 'remove the %YAML line: files are read as YAML 1.2',
  }
}

function moreFaults(source: Source, n: number, at: number): Issue {
  return { code: 'E0106', severity: 'error', message: `${n} more syntax errors from here on`, place: placeAt(source, at) }
}

export function tooLarge(path: string, bytes: number): Issue {
  return {
    code: 'E0102',
    severity: 'error',
    message: `the file is too large: ${megabytes(bytes)} MB, at most ${megabytes(MAX_BYTES)} MB are read`,
    place: { file: path, line: 1, col: 1 },
    hint: 'split it: resources may stand in any file',
  }
}

function hugeNote(path: string, bytes: number): Issue {
  return {
    code: 'N0160',
    severity: 'note',
    message: `the file is large (${megabytes(bytes)} MB): every save reads all of it again`,
    place: { file: path, line: 1, col: 1 },
    hint: 'split it, e.g. into one file per host or per network; moving a resource between files changes nothing',
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(bytes % (1024 * 1024) === 0 ? 0 : 1)
}
