import { type Document, isMap, isScalar, isSeq, type Pair } from 'yaml'
import type { Place, ValuePath } from '../../model/issue.ts'
import { DEFAULT_PROJECT } from '../../model/key.ts'
import type { LocateInFile } from '../load/parsed.ts'
import { composeDocuments } from './parse.ts'
import { keyText, placeOf } from './plain.ts'
import { decode, inspect, makeSource, placeAt, type Source, tooDeep } from './source.ts'

/** Where a value stands: the collection and the name its resource has in the file. */
export interface ValueTarget {
  /** Empty for the site, whose attributes are the file's own top level. */
  readonly collection: string
  /** Undefined for kinds that belong to the whole installation: any document of the file may hold them. */
  readonly project: string | undefined
  readonly name: string
  readonly at: ValuePath
  /** Where the resource's name stands, if known. */
  readonly near?: Place
}

export interface FileLocator {
  readonly inDocument: LocateInFile
  /** The place of a path inside a resource's value, in whichever document of the file holds it. */
  readonly ofValue: (target: ValueTarget) => Place | undefined
}

/**
 * Places inside one file, found by reading it again: positions inside values are not kept in memory, since only mistakes need them. Mostly the
 * lines of the one resource are enough; else the whole file is parsed, once. Answers undefined for a file that cannot be read as text.
 */
export function fileLocator(path: string, bytes: Uint8Array): FileLocator {
  const source = once(() => {
    const decoded = decode(path, bytes)
    const made = makeSource(path, 'text' in decoded ? decoded.text : '')
    return (inspect(made) ?? tooDeep(made)) === undefined ? made : makeSource(path, '')
  })
  const whole = once(() => open(source()))
  let last: { readonly line: number; readonly part: Part | undefined } | undefined
  const nearby = (near: Place | undefined, where: ValuePath, what: 'key' | 'value') => {
    if (near === undefined) return undefined
    if (last?.line !== near.line) last = { line: near.line, part: openPart(source(), near) }
    return last.part === undefined ? undefined : locateInPart(last.part, near, where, what)
  }
  return {
    inDocument: (document, where, what, near) => {
      const found = nearby(near, where.slice(1), what)
      const root = found === undefined ? whole().documents[document]?.contents : undefined
      return root === undefined ? found : walk(whole(), root, where, what)
    },
    ofValue: (target) => {
      const what = target.at.length === 0 ? 'key' : 'value'
      const near = target.collection === '' ? undefined : target.near
      return nearby(near, [target.name, ...target.at], what) ?? locateValue(whole(), target, what)
    },
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

interface Opened {
  readonly source: Source
  readonly documents: readonly Document.Parsed[]
  /** Names of the maps looked into so far: many mistakes in one huge collection must not search it end to end each time. */
  readonly names: WeakMap<object, ReadonlyMap<string, Pair>>
}

function open(source: Source): Opened {
  const names = new WeakMap<object, ReadonlyMap<string, Pair>>()
  try {
    return { source, documents: [...composeDocuments(source.text)], names }
  } catch (error) {
    if (error instanceof RangeError) return { source, documents: [], names }
    throw error
  }
}

/** The lines of one resource, as a document of their own. */
interface Part {
  readonly opened: Opened
  /** Lines of the file before the part. */
  readonly above: number
}

/** Undefined where the resource does not have its lines to itself, or where they have errors or anchors: the whole file must be asked then. */
function openPart(source: Source, near: Place): Part | undefined {
  const { text, lines } = source
  const start = lines[near.line - 1] ?? 0
  const indent = near.col - 1
  if (text.slice(start, start + indent).trim() !== '') return undefined
  let next = near.line
  while (next < lines.length && !endsPart(text, lines[next] ?? 0, indent)) next++
  const part = text.slice(start, lines[next])
  if (/[&*]/.test(part)) return undefined
  const opened = open(makeSource(source.path, part))
  const [document, other] = opened.documents
  return document === undefined || other !== undefined || document.errors.length > 0 ? undefined : { opened, above: near.line - 1 }
}

/** A line with content that is not deeper than the resource's name. */
function endsPart(text: string, start: number, indent: number): boolean {
  let at = start
  while (text[at] === ' ') at++
  const blank = at >= text.length || text[at] === '\n' || text[at] === '\r' || text[at] === '#'
  return !blank && at - start <= indent
}

function locateInPart({ opened, above }: Part, near: Place, where: ValuePath, what: 'key' | 'value'): Place | undefined {
  const root = opened.documents[0]?.contents
  const first = isMap(root) ? root.items[0]?.key : undefined
  if (keyText(first) !== where[0] || placeOf(opened.source, first).col !== near.col) return undefined
  const place = walk(opened, root, where, what)
  return { ...place, line: place.line + above }
}

function locateValue(file: Opened, target: ValueTarget, what: 'key' | 'value'): Place | undefined {
  for (const document of file.documents) {
    const root = document.contents
    if (target.project !== undefined && projectOf(file, root) !== target.project) continue
    if (target.collection === '') {
      const first = target.at[0]
      if (first === undefined && isMap(root)) return placeOf(file.source, root.items[0]?.key)
      if (first !== undefined && findPair(file, root, first) !== undefined) return walk(file, root, target.at, what)
    } else if (findPair(file, findPair(file, root, target.collection)?.value, target.name) !== undefined) {
      return walk(file, root, [target.collection, target.name, ...target.at], what)
    }
  }
  return undefined
}

function projectOf(file: Opened, root: unknown): string {
  const value = findPair(file, root, 'project')?.value
  return isScalar(value) && typeof value.value === 'string' ? value.value : DEFAULT_PROJECT
}

/** Follows the path as far as it exists; a path that ends early points at the key of the deepest part that does. */
function walk(file: Opened, root: unknown, path: ValuePath, what: 'key' | 'value'): Place {
  let node = root
  let key: unknown
  for (const step of path) {
    const next = child(file, node, step)
    if (next === undefined) return placeOf(file.source, key ?? firstKey(node))
    key = next.key ?? next.value
    node = next.value
  }
  if (key === undefined) return placeOf(file.source, firstKey(node))
  return what === 'key' ? placeOf(file.source, key) : valuePlace(file.source, key, node)
}

function firstKey(node: unknown): unknown {
  return isMap(node) ? (node.items[0]?.key ?? node) : node
}

/** A value on its key's line is pointed at itself; a block below it, or nothing at all, by its key. */
function valuePlace(source: Source, key: unknown, node: unknown): Place {
  const place = placeOf(source, key)
  const range = (isScalar(node) || isMap(node) || isSeq(node)) && node.range
  if (!range || range[0] === range[1]) return place
  const own = placeAt(source, range[0], range[1])
  return own.line === place.line || isScalar(node) ? own : place
}

function child(file: Opened, node: unknown, step: string | number): { readonly key?: unknown; readonly value: unknown } | undefined {
  if (!isSeq(node) || typeof step !== 'number') return findPair(file, node, step)
  return step < node.items.length ? { value: node.items[step] } : undefined
}

function findPair(file: Opened, node: unknown, name: string | number): Pair | undefined {
  if (!isMap(node)) return undefined
  let names = file.names.get(node)
  if (names === undefined) {
    const made = new Map<string, Pair>()
    for (const pair of node.items) {
      const text = keyText(pair.key)
      if (text !== undefined && !made.has(text)) made.set(text, pair)
    }
    file.names.set(node, made)
    names = made
  }
  return names.get(String(name))
}
