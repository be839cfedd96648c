import type { Brand } from './brand.ts'

/**
 * The identity of a resource: `kind/project/name`, or `kind/name` for kinds that belong to the whole installation (host, site).
 * Never the file it stands in: moving a resource between files is no change.
 */
export type Key = Brand<string, 'Key'>

export interface KeyParts {
  readonly kind: string
  /** Empty for kinds that belong to the whole installation. */
  readonly project: string
  readonly name: string
}

export const DEFAULT_PROJECT = 'default'

export function makeKey(kind: string, project: string, name: string): Key {
  return (project === '' ? `${kind}/${name}` : `${kind}/${project}/${name}`) as Key
}

/** The key that a name stands for in a resource of `project`: `name` in its own project, `project/name` across. */
export function namedKey(kind: string, project: string, name: string): Key {
  const slash = name.indexOf('/')
  return slash < 0 ? makeKey(kind, project, name) : makeKey(kind, name.slice(0, slash), name.slice(slash + 1))
}

/** Splits a key. Throws on text that no `makeKey` can have made (our own bug, never an operator's mistake). */
export function keyParts(key: Key): KeyParts {
  const [kind, a, b, ...rest] = key.split('/')
  if (kind === undefined || a === undefined || rest.length > 0) throw new Error(`not a key: ${key}`)
  return b === undefined ? { kind, project: '', name: a } : { kind, project: a, name: b }
}

/** Its kind alone, for loops over many keys. */
export function kindOf(key: Key): string {
  return key.slice(0, key.indexOf('/'))
}

/** How a key is shown to people: the default project is left out, and so is the name of what there is one of (`site`). */
export function displayKey(key: Key): string {
  const { kind, project, name } = keyParts(key)
  if (project === '' && kind === 'site') return kind
  return project === '' || project === DEFAULT_PROJECT ? `${kind} ${name}` : `${kind} ${project}/${name}`
}

/** Code-unit order: the one order used wherever "sorted by identity" is meant. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
