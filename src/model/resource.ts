import type { JsonObject } from './brand.ts'
import type { Issue, Place } from './issue.ts'
import type { Key } from './key.ts'

/**
 * A resource as it was written: validated by the kind's schema and brought to normal form (spellings, sets sorted), with no
 * default filled in and no position: an inserted line changes no resource.
 */
export interface Declared {
  readonly key: Key
  readonly kind: string
  /** Empty for kinds that belong to the whole installation. */
  readonly project: string
  readonly name: string
  readonly spec: JsonObject
}

/** A resource after `resolve`: defaults, addresses, MACs and segments filled in. Immutable; compared by value. */
export interface Resource<Spec = JsonObject> {
  readonly key: Key
  readonly kind: string
  readonly project: string
  readonly name: string
  /** UUID: given as `id:` or derived (version 5) from the identity. */
  readonly id: string
  readonly spec: Spec
}

/** One YAML file after `load`: what it declares and what is wrong with it. Cached by content hash. */
export interface LoadedFile {
  /** Relative to the repo, with `/`. */
  readonly path: string
  /** SHA-256 of the bytes, hex. */
  readonly hash: string
  readonly entries: readonly LoadedEntry[]
  /** Mistakes that need only this file to be seen (syntax, schema, unknown key). */
  readonly issues: readonly Issue[]
}

export interface LoadedEntry {
  readonly declared: Declared
  /** The resource's name in the file. Places inside its value are found again on demand (`server/repo/locate`). */
  readonly place: Place
  /** Nobody wrote it here: the resource of that key, which stands at the place, takes it for granted. */
  readonly implied?: Key
}
