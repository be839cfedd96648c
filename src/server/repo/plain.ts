import { type Alias, isAlias, isMap, isScalar, isSeq, Scalar, type YAMLMap, type YAMLSeq } from 'yaml'
import type { Json } from '../../model/brand.ts'
import type { Issue, Place } from '../../model/issue.ts'
import { scalarIssue } from './scalars.ts'
import { deepIssue, placeAt, type Source } from './source.ts'

/** Levels of nesting inside one document. */
const MAX_DEPTH = 64
/** How many values all aliases of a document may stand for: room for shared defaults, none for a bomb. */
const MAX_ALIASED = 10_000

const CORE_TAG = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/

/** Turns nodes of one document into plain JSON, collecting what is wrong with them. */
export interface PlainContext {
  readonly source: Source
  readonly issues: Issue[]
  readonly anchors: Map<string, Anchored | undefined>
  aliased: number
  /** Values made so far, counted as they would be written out. */
  made: number
}

interface Anchored {
  readonly value: Json
  readonly size: number
}

export interface Member {
  readonly name: string
  readonly place: Place
  readonly value: unknown
}

export function plainContext(source: Source, issues: Issue[]): PlainContext {
  return { source, issues, anchors: new Map(), aliased: 0, made: 0 }
}

/** The value of a node. Wrong parts are null, and an issue says so: never use the value when there are issues. */
export function plain(context: PlainContext, node: unknown, depth: number): Json {
  if (node === null || node === undefined) return null
  if (depth > MAX_DEPTH) {
    context.issues.push(deepIssue(context.source, startOf(node)))
    return null
  }
  context.made++
  if (isAlias(node)) return aliased(context, node)
  const anchor = (isScalar(node) || isMap(node) || isSeq(node)) && node.anchor
  if (!anchor) return unanchored(context, node, depth)
  context.anchors.set(anchor, undefined)
  const before = context.made
  const value = unanchored(context, node, depth)
  context.anchors.set(anchor, { value, size: context.made - before + 1 })
  return value
}

function unanchored(context: PlainContext, node: unknown, depth: number): Json {
  refuseTag(context, node)
  if (isScalar(node)) return scalar(context, node)
  if (isSeq(node)) return list(context, node, depth)
  if (isMap(node)) return map(context, node, depth)
  return null
}

function list(context: PlainContext, node: YAMLSeq, depth: number): Json {
  return node.items.map((item) => {
    // `[a: 1]` is a list of one-key maps to YAML; here it is always a forgotten pair of braces.
    if (isMap(item) && item.flow && node.flow && isBarePair(context.source, item)) {
      report(context, item, 'E0106', 'a `key: value` directly inside a list', 'wrap it in braces: [{ key: value }]')
    }
    return plain(context, item, depth + 1)
  })
}

function isBarePair(source: Source, item: YAMLMap): boolean {
  return source.text[item.range?.[0] ?? 0] !== '{'
}

function map(context: PlainContext, node: YAMLMap, depth: number): Json {
  const out: Record<string, Json> = {}
  for (const { name, value } of members(context, node)) out[name] = plain(context, value, depth + 1)
  return out
}

/** The pairs of a map with their names as typed. Names that cannot be used, and the second of two equal ones, are reported and left out. */
export function members(context: PlainContext, node: YAMLMap): Member[] {
  const seen = new Map<string, Place>()
  const out: Member[] = []
  for (const pair of node.items) {
    const place = placeOf(context.source, pair.key ?? node)
    const name = keyName(context, pair.key, place)
    if (name === undefined) continue
    const first = seen.get(name)
    if (first === undefined) {
      seen.set(name, place)
      out.push({ name, place, value: pair.value })
    } else {
      context.issues.push({
        code: 'E0301',
        severity: 'error',
        message: `\`${name}\` is written twice in the same map`,
        place,
        label: 'again here',
        related: [{ message: 'first written here', place: first }],
        hint: 'remove one of the two, or give it another name',
      })
    }
  }
  return out
}

/** The name a key node stands for: the text as typed, so that `10`, `1.10` and `on` are names too. Undefined when it is none. */
export function keyText(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined
  if (key.type === Scalar.PLAIN) return key.source === '' || key.source === '~' ? undefined : key.source
  return typeof key.value === 'string' ? key.value : undefined
}

function keyName(context: PlainContext, key: unknown, place: Place): string | undefined {
  const name = keyText(key)
  if (name === '<<') return refuseKey(context, place, 'E0111', 'merge keys (`<<`) are not supported', 'write the attributes out')
  if (name === '__proto__') return refuseKey(context, place, 'E0117', '`__proto__` cannot be used as a name', 'use another name')
  if (name === undefined) return refuseKey(context, place, 'E0113', 'a key must be plain text', 'quote the key if it is meant so')
  if (isScalar(key)) {
    refuseTag(context, key)
    if (key.anchor) return refuseKey(context, place, 'E0109', 'a key cannot carry an anchor', `remove the &${key.anchor}`)
  }
  return name
}

function refuseKey(context: PlainContext, place: Place, code: string, message: string, hint: string): undefined {
  context.issues.push({ code, severity: 'error', message, place, hint })
}

function scalar(context: PlainContext, node: Scalar): Json {
  const value = node.value
  if (node.type === Scalar.PLAIN && node.source !== undefined) {
    const issue = scalarIssue(node.source, value, () => placeOf(context.source, node))
    if (issue !== undefined) context.issues.push(issue)
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return typeof value === 'string' || typeof value === 'boolean' ? value : null
}

function aliased(context: PlainContext, node: Alias): Json {
  const target = context.anchors.get(node.source)
  if (target === undefined) {
    const inside = context.anchors.has(node.source)
    const message = inside ? `*${node.source} stands inside its own anchor` : `*${node.source} has no anchor before it`
    report(context, node, 'E0109', message, inside ? 'write the value out' : `put &${node.source} before the value that is meant`)
    return null
  }
  context.made += target.size
  const before = context.aliased
  context.aliased += target.size
  if (context.aliased <= MAX_ALIASED) return target.value
  if (before <= MAX_ALIASED) {
    report(
      context,
      node,
      'E0109',
      `aliases stand for more than ${MAX_ALIASED} values in this document`,
      'write the values out, or use fewer',
    )
  }
  return null
}

export function refuseTag(context: PlainContext, node: unknown): void {
  const tag = (isScalar(node) || isMap(node) || isSeq(node)) && node.tag
  if (!tag || CORE_TAG.test(tag)) return
  report(context, node, 'E0110', `the tag ${tag.replace('tag:yaml.org,2002:', '!!')} is not supported`, 'write the plain value')
}

export function report(context: PlainContext, node: unknown, code: string, message: string, hint: string): void {
  context.issues.push({ code, severity: 'error', message, place: placeOf(context.source, node), hint })
}

/** Where a node stands; a node without a range (an empty value) gives the start of the file. */
export function placeOf(source: Source, node: unknown): Place {
  const range = rangeOf(node)
  return placeAt(source, range?.[0] ?? 0, range?.[1])
}

function startOf(node: unknown): number {
  return rangeOf(node)?.[0] ?? 0
}

function rangeOf(node: unknown): readonly [number, number, number] | undefined {
  return (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined) ?? undefined
}
