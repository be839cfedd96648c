/** JSON text with sorted keys and no spaces: equal values have equal text. `undefined` members are left out, as in JSON. */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return canonicalList(value)
  if (value !== null && typeof value === 'object') return canonicalRecord(value as Record<string, unknown>)
  return JSON.stringify(value) ?? 'null'
}

const ESCAPED = /[^ !#-[\]-~]/

/** Text in which nothing is escaped needs no call into the engine. */
function quoted(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`
}

function canonicalList(list: readonly unknown[]): string {
  let text = '['
  for (let i = 0; i < list.length; i++) text += i === 0 ? canonicalJson(list[i]) : `,${canonicalJson(list[i])}`
  return `${text}]`
}

function canonicalRecord(record: Readonly<Record<string, unknown>>): string {
  let text = '{'
  for (const key of sortedNames(record)) {
    const member = record[key]
    if (member === undefined) continue
    text += `${text === '{' ? '' : ','}${quoted(key)}:${canonicalJson(member)}`
  }
  return `${text}}`
}

/** Looking whether names are in order costs much less than sorting them, and most are. */
function sortedNames(record: Readonly<Record<string, unknown>>): readonly string[] {
  const names = Object.keys(record)
  for (let i = 1; i < names.length; i++) if ((names[i - 1] ?? '') > (names[i] ?? '')) return names.sort()
  return names
}

/** Equality of plain JSON data by value; the order of keys does not count. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => sameJson(v, b[i]))
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  return keys.every((k) => Object.hasOwn(right, k) && sameJson(left[k], right[k]))
}

/** True for an object that is neither null nor a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
