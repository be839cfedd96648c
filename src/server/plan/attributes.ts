import { canonicalJson, isRecord, sameJson } from '../../lib/json.ts'
import type { Json, JsonObject } from '../../model/brand.ts'
import type { AttributeChange } from './types.ts'

export interface AttributeDiff {
  /** Sorted by path as it stands in the value: attributes by name, list entries by place. */
  readonly changes: readonly AttributeChange[]
  /** Top-level attributes in which nothing changed. */
  readonly unchanged: number
}

/**
 * What differs between two values of any kind. Objects are compared attribute by attribute. Lists of objects are compared entry by entry, equal
 * entries first, so that one entry more is one change; other lists are compared whole. `undefined` stands for a resource that does not exist.
 */
export function diffAttributes(before: JsonObject | undefined, after: JsonObject | undefined): AttributeDiff {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort()
  const changes: AttributeChange[] = []
  let unchanged = 0
  for (const name of names) {
    const found = changes.length
    diffValue(name, before?.[name], after?.[name], changes)
    if (changes.length === found) unchanged++
  }
  return { changes, unchanged }
}

/** The attribute a path belongs to: `fixed_ips` for `fixed_ips[0].ip_address`. */
export function topLevel(path: string): string {
  return /^[^.[]*/.exec(path)?.[0] ?? path
}

function diffValue(path: string, before: Json | undefined, after: Json | undefined, out: AttributeChange[]): void {
  if (sameJson(before, after)) return
  if (isAbsentOr(isObject, before) && isAbsentOr(isObject, after)) diffObject(path, before, after, out)
  else if (isAbsentOr(isObjectList, before) && isAbsentOr(isObjectList, after) && (before ?? []).length + (after ?? []).length > 0) {
    diffList(path, before ?? [], after ?? [], out)
  } else out.push(change(path, before, after))
}

function diffObject(path: string, before: JsonObject | undefined, after: JsonObject | undefined, out: AttributeChange[]): void {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort()
  for (const name of names) diffValue(`${path}.${name}`, before?.[name], after?.[name], out)
}

function diffList(path: string, before: readonly JsonObject[], after: readonly JsonObject[], out: AttributeChange[]): void {
  const gone = leftOver(before, after)
  const fresh = leftOver(after, before)
  if (gone.length + fresh.length === 0) {
    // The same entries in another order.
    out.push(change(path, before, after))
    return
  }
  for (let i = 0; i < Math.max(gone.length, fresh.length); i++) {
    const old = gone[i]
    const now = fresh[i]
    diffValue(`${path}[${now?.index ?? old?.index}]`, old?.value, now?.value, out)
  }
}

/** Entries of `list` that have no equal partner in `other`. */
function leftOver(
  list: readonly JsonObject[],
  other: readonly JsonObject[],
): readonly { readonly index: number; readonly value: JsonObject }[] {
  const partners = new Map<string, number>()
  for (const value of other) partners.set(canonicalJson(value), (partners.get(canonicalJson(value)) ?? 0) + 1)
  return list.flatMap((value, index) => {
    const text = canonicalJson(value)
    const free = partners.get(text) ?? 0
    partners.set(text, free - 1)
    return free > 0 ? [] : [{ index, value }]
  })
}

function change(path: string, before: Json | undefined, after: Json | undefined): AttributeChange {
  return { path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }
}

function isAbsentOr<T extends Json>(is: (value: Json) => value is T, value: Json | undefined): value is T | undefined {
  return value === undefined || is(value)
}

function isObject(value: Json): value is JsonObject {
  return isRecord(value) && Object.keys(value).length > 0
}

function isObjectList(value: Json): value is readonly JsonObject[] {
  return Array.isArray(value) && value.every(isRecord)
}
