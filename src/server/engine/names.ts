import { type Key, makeKey, namedKey } from '../../model/key.ts'
import { type Fact, usersFact } from './facts.ts'
import type { Run } from './run.ts'

/*
 * Texts that a thousand resources name again and again are put together once in a run: maps find a text they were given before by its address, one that
 * is new has to be hashed and compared.
 */

/** `name` in the given project, `project/name` across; names of global kinds, and of what is no kind at all, stand alone. */
export function nameKey(run: Run, project: string, kind: string, name: string): Key {
  const known = inner(inner(run.names, kind), project)
  let key = known.get(name)
  if (key === undefined) {
    key = makeNameKey(run, project, kind, name)
    known.set(name, key)
  }
  return key
}

function makeNameKey(run: Run, project: string, kind: string, name: string): Key {
  if (run.kinds.byName.get(kind)?.scope !== 'project') return makeKey(kind, '', name)
  return namedKey(kind, project, name)
}

/** `usersFact`, put together once. */
export function usersOf(run: Run, key: Key, kind: string): Fact {
  const known = inner(run.users, kind)
  let fact = known.get(key)
  if (fact === undefined) {
    fact = usersFact(key, kind)
    known.set(key, fact)
  }
  return fact
}

function inner<A, B, V>(maps: Map<A, Map<B, V>>, key: A): Map<B, V> {
  let map = maps.get(key)
  if (map === undefined) {
    map = new Map()
    maps.set(key, map)
  }
  return map
}
