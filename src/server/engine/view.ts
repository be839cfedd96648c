import type { Site, View } from '../../kinds/kind.ts'
import { DEFAULT_SITE, SITE_KEY } from '../../kinds/site/spec.ts'
import type { Json, JsonObject } from '../../model/brand.ts'
import type { Key } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import { declaredFact, type Fact, mentionsFact, partFact } from './facts.ts'
import { nameKey, usersOf } from './names.ts'
import { kindOf, type Run, sortedKeys } from './run.ts'

/** Thrown by `need` through a kind's function, caught by the engine: the resource waits for another one's error to go. */
export const SET_ASIDE: unique symbol = Symbol('set aside')

/** A view for one resource. Whatever is asked is written down in `reads`; `lowering` may read all kinds, for everything is resolved by then. */
export function makeView(run: Run, reader: Declared, reads: Set<Fact>, lowering: boolean): View {
  const { state, kinds } = run
  const readable = kinds.readable.get(reader.kind)
  const get = (key: Key): Resource | undefined => {
    if (!lowering && readable?.has(kindOf(key)) !== true) throw new Error(`${reader.kind} reads ${key}, but does not come after its kind`)
    reads.add(key)
    return state.resources.get(key)
  }
  const need = (key: Key): Resource => {
    const resource = get(key)
    if (resource === undefined) throw SET_ASIDE
    return resource
  }
  return {
    // The spec's type is the caller's knowledge of the kind: the kind's own `resolve` made it.
    get: <Spec = JsonObject>(key: Key) => get(key) as Resource<Spec> | undefined,
    need: <Spec = JsonObject>(key: Key) => need(key) as Resource<Spec>,
    part: (key, name) => partOf(run, reads, key, name),
    declared: (key) => {
      reads.add(declaredFact(key))
      return state.declared.get(key)
    },
    users: (key, kind) => {
      const fact = usersOf(run, key, kind)
      reads.add(fact)
      return cached(run, fact, () => sortedKeys(state.users.inner(fact))) as readonly Key[]
    },
    mentioned: (kind, by) => {
      const fact = mentionsFact(kind, by)
      reads.add(fact)
      return cached(run, fact, () => sortedKeys(state.mentions.inner(fact)))
    },
    ref: (kind, name) => nameKey(run, reader.project, kind, name),
    site: () => siteOf(run, reads),
  }
}

/** Worked out once in a run for all who ask; `commit` forgets it when the value changes. */
function partOf(run: Run, reads: Set<Fact>, key: Key, name: string): Json {
  const fact = partFact(key, name)
  reads.add(fact)
  const known = run.parts.get(fact)
  if (known !== undefined) return known
  const resource = run.state.resources.get(key)
  if (resource === undefined) throw SET_ASIDE
  const value = run.kinds.byName.get(kindOf(key))?.parts?.(resource)[name]
  if (value === undefined) throw new Error(`${key} has no part ${name}`)
  run.parts.set(fact, value)
  return value
}

function siteOf(run: Run, reads: Set<Fact>): Site {
  reads.add(SITE_KEY)
  const site = run.state.resources.get(SITE_KEY)
  if (site !== undefined) return site.spec as unknown as Site
  // No site and a site in error look alike from its value.
  reads.add(declaredFact(SITE_KEY))
  if (run.state.declared.has(SITE_KEY)) throw SET_ASIDE
  return DEFAULT_SITE
}

function cached(run: Run, name: string, make: () => readonly string[]): readonly string[] {
  let list = run.sorted.get(name)
  if (list === undefined) {
    list = make()
    run.sorted.set(name, list)
  }
  return list
}
