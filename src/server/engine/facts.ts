import type { Key } from '../../model/key.ts'

/**
 * What a reader can read, as text. The resolved value of a resource is its key itself; everything else starts with `#`, which no kind does.
 * When a fact changes, and only then, its readers run again.
 */
export type Fact = string

export const declaredFact = (key: Key): Fact => `#d:${key}`
/** Whether a resource has a value at all. */
export const presentFact = (key: Key): Fact => `#v:${key}`
export function isPresentFact(fact: Fact): boolean {
  return fact.startsWith('#v:')
}
/** One of its kind's `parts` of a resource. */
export const partFact = (key: Key, name: string): Fact => `#a:${name}:${key}`
/** Which resources of `kind` refer to `key`. */
export const usersFact = (key: Key, kind: string): Fact => `#u:${kind}>${key}`
/** Which names of `kind` the resources of kind `by` mention. */
export const mentionsFact = (kind: string, by: string): Fact => `#m:${by}>${kind}`
/** Which resources of a kind are declared. */
export const kindFact = (kind: string): Fact => `#k:${kind}`
/** Who holds a value; read only by those who wanted it and did not get it. */
export const slotFact = (slot: string): Fact => `#s:${slot}`
/** Whether a pool got room; read only by those who found it full. */
export const poolFact = (pool: string): Fact => `#p:${pool}`

/** The key whose value, part of the value or declaration the fact is. */
export function factKey(fact: Fact): Key | undefined {
  if (!fact.startsWith('#')) return fact as Key
  if (fact.startsWith('#a:')) return fact.slice(fact.indexOf(':', 3) + 1) as Key
  return fact.startsWith('#d:') || fact.startsWith('#v:') ? (fact.slice(3) as Key) : undefined
}

/** Who read: a resource's key when it was its value (check, resolve), `~` and the key when it was only its lowering. */
export type Reader = string

export const lowerReader = (key: Key): Reader => `~${key}`
export function readerKey(reader: Reader): { readonly key: Key; readonly lowerOnly: boolean } {
  return reader.startsWith('~') ? { key: reader.slice(1) as Key, lowerOnly: true } : { key: reader as Key, lowerOnly: false }
}
