import { resourceId } from '../../kinds/identity.ts'
import { sameJson } from '../../lib/json.ts'
import { compareText, type Key } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import { declaredFact, type Fact, kindFact, mentionsFact } from './facts.ts'
import { nameKey, usersOf } from './names.ts'
import { idOf, markDirty, type Run, wake } from './run.ts'
import type { State } from './state.ts'
import type { DeclaredOps } from './types.ts'

/** Takes the ops over into the world's declared part and its indexes, and wakes everybody who read what changed. Returns the deleted keys. */
export function declare(run: Run, ops: DeclaredOps): readonly Key[] {
  const changed = new Set<Fact>()
  const set = new Map<Key, Declared>(ops.set.map((d) => [d.key, d]))
  const deleted: Key[] = []
  for (const key of ops.del) {
    if (set.has(key) || !run.state.declared.has(key)) continue
    replace(run, key, undefined, changed)
    deleted.push(key)
  }
  for (const [key, next] of set) {
    const old = run.state.declared.get(key)
    if (old !== undefined && sameJson(old.spec, next.spec)) continue
    if (!run.kinds.byName.has(next.kind)) throw new Error(`no kind ${next.kind} (${key})`)
    replace(run, key, next, changed)
    markDirty(run, key)
  }
  for (const fact of changed) wake(run, fact)
  return deleted
}

function replace(run: Run, key: Key, next: Declared | undefined, changed: Set<Fact>): void {
  const { state } = run
  const old = state.declared.get(key)
  if (old !== undefined) {
    indexReferences(run, old, -1, changed)
    indexId(run, resourceId(old), key, false)
    run.ids.delete(key)
  }
  if (next === undefined) state.declared.delete(key)
  else {
    state.declared.set(key, next)
    indexReferences(run, next, 1, changed)
    indexId(run, idOf(run, next), key, true)
  }
  note(run, changed, declaredFact(key))
  const one = next ?? old
  if (one === undefined || (old === undefined) === (next === undefined)) return
  const { kind, project } = one
  count(state, kind, project, next === undefined ? -1 : 1)
  if (next === undefined) state.kinds.delete(kind, key)
  else state.kinds.set(kind, key, true)
  note(run, changed, kindFact(kind))
}

/** Where nobody has read anything yet, as in a world that is built anew, there is nobody to wake. */
function note(run: Run, changed: Set<Fact>, fact: Fact): void {
  if (run.state.reads.size > 0) changed.add(fact)
}

function count(state: State, kind: string, project: string, by: 1 | -1): void {
  const now = (state.counts.get(kind, project) ?? 0) + by
  if (now === 0) state.counts.delete(kind, project)
  else state.counts.set(kind, project, now)
}

function indexReferences(run: Run, declared: Declared, by: 1 | -1, changed: Set<Fact>): void {
  const { users, mentions } = run.state
  const seen = new Set<string>()
  for (const reference of run.kinds.byName.get(declared.kind)?.references(declared.spec, declared.project) ?? []) {
    const target = nameKey(run, declared.project, reference.kind, reference.name)
    const set = usersOf(run, target, declared.kind)
    if (seen.has(set)) continue
    seen.add(set)
    if (by === 1) users.set(set, declared.key, true)
    else users.delete(set, declared.key)
    note(run, changed, set)
    if (reference.open !== true) continue
    const pair = mentionsFact(reference.kind, declared.kind)
    const count = (mentions.get(pair, reference.name) ?? 0) + by
    if (count === 0) mentions.delete(pair, reference.name)
    else mentions.set(pair, reference.name, count)
    note(run, changed, pair)
  }
}

/** Ids are not tracked as reads: whoever shares one is simply looked at again. */
function indexId(run: Run, id: string, key: Key, add: boolean): void {
  const { ids } = run.state
  const before = ids.get(id)
  const others = before?.filter((k) => k !== key) ?? []
  for (const other of others) markDirty(run, other)
  const owners = add ? [...others, key].sort(compareText) : others
  if (owners.length === 0) ids.delete(id)
  else ids.set(id, owners)
}
