import type { Json } from '../../model/brand.ts'
import { hasErrors, type Issue, type Place } from '../../model/issue.ts'
import type { ParsedDocument, ParsedEntry, ParsedSection } from '../load/parsed.ts'
import { type Cursor, fastInline, fastKey, skipSpaces } from './fast-scalar.ts'

export interface FastResult {
  readonly document: ParsedDocument
  /** Warnings; a file with anything worse is read by the library as a whole. */
  readonly issues: readonly Issue[]
}

/** What the YAML library makes of the lines of one resource, as a document of their own. */
export type ReadHard = (text: string) => { readonly documents: readonly ParsedDocument[]; readonly issues: readonly Issue[] }

/**
 * Reads the plainest YAML, the kind that fills large repos: block maps and lists of one-line values, without anything that could mean
 * something else or be worth a remark. A resource beyond that is handed to the YAML library by itself (`hard`), and where that finds a mistake,
 * or the file's outer shape is uncommon, this gives up and the library reads the whole file. So it may be slow to recognise, but
 * never wrong: a property test holds each of its answers against the library's. It is about twenty times as fast.
 */
export function parseFast(path: string, text: string, hard: ReadHard): FastResult | undefined {
  if (/[\t\r\ufeff]/.test(text)) return undefined
  const lines: Lines = { path, text, hard, issues: [], at: 0, line: 0, start: 0, indent: 0, ended: false }
  nextLine(lines)
  if (!lines.ended && lines.indent === 0 && /^---(?:\n|$)/.test(text.slice(lines.at, lines.at + 4))) {
    lines.at += 3
    nextLine(lines)
  }
  if (lines.ended || lines.indent !== 0) return undefined
  const sections = readSections(lines)
  return sections === undefined ? undefined : { document: { index: 0, broken: false, sections }, issues: lines.issues }
}

interface Lines extends Cursor {
  readonly path: string
  readonly hard: ReadHard
  readonly issues: Issue[]
  /** Index of the line the cursor is in, and the offset of its start. */
  line: number
  start: number
  /** Column of its first character that is no space, from 0. */
  indent: number
  ended: boolean
}

/** Deeper nesting is left to the library and its limit. */
const MAX_DEPTH = 16

/** From the end of one line's content to the first character of the next line that has some. */
function nextLine(lines: Lines): void {
  const { text } = lines
  for (;;) {
    if (lines.at > 0 || text.charCodeAt(0) === 0x0a) {
      const newline = text.indexOf('\n', lines.at)
      if (newline < 0) {
        lines.ended = true
        return
      }
      lines.at = lines.start = newline + 1
      lines.line++
    }
    skipSpaces(lines)
    const c = text.charCodeAt(lines.at)
    if (Number.isNaN(c)) {
      lines.ended = true
      return
    }
    if (c !== 0x0a && c !== 0x23) {
      lines.indent = lines.at - lines.start
      return
    }
    if (lines.at === 0) lines.at = 1
  }
}

function readSections(lines: Lines): ParsedSection[] | undefined {
  const sections: ParsedSection[] = []
  const names = new Set<string>()
  while (!lines.ended) {
    if (lines.indent !== 0) return undefined
    const at = lines.at
    const key = fastKey(lines)
    if (key === undefined || names.has(key)) return undefined
    names.add(key)
    const place = placeOf(lines, at, key)
    const below = valueBelow(lines)
    if (below === undefined) return undefined
    if (below) {
      if (lines.ended || lines.indent === 0 || isDash(lines)) return undefined
      const entries = readEntries(lines)
      if (entries === undefined) return undefined
      sections.push({ key, place, entries })
    } else {
      const value = inlineToEnd(lines, 0)
      if (value === undefined) return undefined
      const map = value !== null && typeof value === 'object' && !Array.isArray(value)
      // Only `ports: {}`: the members of a longer one would need places.
      if (map && Object.keys(value).length > 0) return undefined
      sections.push(map ? { key, place, entries: [] } : { key, place, value })
    }
  }
  return sections
}

function readEntries(lines: Lines): ParsedEntry[] | undefined {
  const { indent } = lines
  const entries: ParsedEntry[] = []
  const names = new Set<string>()
  for (;;) {
    const entry = readEntry(lines, indent)
    if (entry === undefined || names.has(entry.name)) return undefined
    names.add(entry.name)
    entries.push(entry)
    if (lines.ended || lines.indent < indent) return entries
    if (lines.indent > indent) return undefined
  }
}

function readEntry(lines: Lines, indent: number): ParsedEntry | undefined {
  const { at, line, start } = lines
  const name = fastKey(lines)
  if (name !== undefined) {
    const place = placeOf(lines, at, name)
    const value = readValue(lines, indent, 2)
    // A line that is deeper than expected was taken for the next one too early.
    if (value !== undefined && (lines.ended || lines.indent <= indent)) return { name, value, place }
  }
  lines.line = line
  lines.start = start
  lines.at = start
  lines.ended = false
  return readHardEntry(lines, indent)
}

/** Anchors reach beyond the lines of a resource; without them, and without errors, the lines mean by themselves what they mean in the file. */
function readHardEntry(lines: Lines, indent: number): ParsedEntry | undefined {
  const { start, line } = lines
  do {
    lines.at = endOfLine(lines)
    nextLine(lines)
  } while (!lines.ended && lines.indent > indent)
  const text = lines.text.slice(start, lines.ended ? undefined : lines.start)
  if (/[&*]/.test(text)) return undefined
  const { documents, issues } = lines.hard(text)
  const [section, ...others] = documents[0]?.sections ?? []
  if (documents.length !== 1 || documents[0]?.broken || section === undefined || others.length > 0 || hasErrors(issues)) return undefined
  // Else the lines hold something that is a map only when it stands alone: `{ a: 1 }`, `? a`.
  if (section.place.line !== 1 || section.place.col !== indent + 1) return undefined
  const down = (place: Place): Place => ({ ...place, line: place.line + line })
  for (const issue of issues) lines.issues.push(issue.place === undefined ? issue : { ...issue, place: down(issue.place) })
  const value = section.entries === undefined ? (section.value ?? null) : Object.fromEntries(section.entries.map((e) => [e.name, e.value]))
  return { name: section.key, value, place: down(section.place) }
}

function endOfLine(lines: Lines): number {
  const newline = lines.text.indexOf('\n', lines.at)
  return newline < 0 ? lines.text.length : newline
}

/** Behind a key and its colon; afterwards at the next line's content. */
function readValue(lines: Lines, indent: number, depth: number): Json | undefined {
  const below = valueBelow(lines)
  if (below === undefined || depth > MAX_DEPTH) return undefined
  if (!below) return inlineToEnd(lines, indent)
  if (lines.ended || lines.indent < indent) return null
  if (isDash(lines)) return readList(lines, depth)
  return lines.indent > indent ? readMap(lines, lines.indent, depth) : null
}

function readMap(lines: Lines, indent: number, depth: number): Json | undefined {
  const out: Record<string, Json> = {}
  for (;;) {
    const key = fastKey(lines)
    if (key === undefined || Object.hasOwn(out, key)) return undefined
    const value = readValue(lines, indent, depth + 1)
    if (value === undefined) return undefined
    out[key] = value
    if (lines.ended || lines.indent < indent) return out
    if (lines.indent > indent) return undefined
  }
}

function readList(lines: Lines, depth: number): Json | undefined {
  const { indent } = lines
  const out: Json[] = []
  for (;;) {
    const value = readItem(lines, indent, depth)
    if (value === undefined) return undefined
    out.push(value)
    if (lines.ended || lines.indent < indent) return out
    if (lines.indent > indent) return undefined
    if (!isDash(lines)) return out
  }
}

function readItem(lines: Lines, indent: number, depth: number): Json | undefined {
  lines.at++
  const below = valueBelow(lines)
  if (below !== false || depth > MAX_DEPTH) return undefined
  const column = lines.at - lines.start
  const at = lines.at
  const key = fastKey(lines)
  lines.at = at
  return key === undefined ? inlineToEnd(lines, indent) : readMap(lines, column, depth + 1)
}

/** False: a value follows on the line, and the cursor stands at it. True: none does, and the cursor stands at the next content. */
function valueBelow(lines: Lines): boolean | undefined {
  skipSpaces(lines)
  const c = lines.text.charCodeAt(lines.at)
  if (c !== 0x0a && c !== 0x23 && !Number.isNaN(c)) return false
  if (c === 0x23 && lines.text.charCodeAt(lines.at - 1) !== 0x20) return undefined
  nextLine(lines)
  return true
}

/** A value that must end with its line; a deeper line below would continue it. */
function inlineToEnd(lines: Lines, indent: number): Json | undefined {
  const value = fastInline(lines, 0)
  if (value === undefined) return undefined
  const end = lines.at
  skipSpaces(lines)
  const c = lines.text.charCodeAt(lines.at)
  if (!Number.isNaN(c) && c !== 0x0a && !(c === 0x23 && lines.at > end)) return undefined
  nextLine(lines)
  return !lines.ended && lines.indent > indent ? undefined : value
}

function isDash(lines: Lines): boolean {
  const next = lines.text.charCodeAt(lines.at + 1)
  return lines.text.charCodeAt(lines.at) === 0x2d && (next === 0x20 || next === 0x0a || Number.isNaN(next))
}

function placeOf(lines: Lines, at: number, name: string): Place {
  const col = at - lines.start + 1
  return { file: lines.path, line: lines.line + 1, col, endCol: col + name.length }
}
