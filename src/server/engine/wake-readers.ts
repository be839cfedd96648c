import { sameJson } from '../../lib/json.ts'
import type { Key } from '../../model/key.ts'
import type { Resource } from '../../model/resource.ts'
import { partFact, presentFact } from './facts.ts'
import { kindOf, type Run, wake } from './run.ts'

/** A value changed, came or went: whoever read it, whether it is there, or a part of it that is not what it was, has to look again. */
export function wakeReaders(run: Run, key: Key, old: Resource | undefined, next: Resource | undefined): void {
  wake(run, key)
  if ((old === undefined) !== (next === undefined)) wake(run, presentFact(key))
  const kind = run.kinds.byName.get(kindOf(key))
  if (kind?.parts === undefined) return
  const was = old === undefined ? undefined : kind.parts(old)
  const is = next === undefined ? undefined : kind.parts(next)
  for (const name of Object.keys(is ?? was ?? {})) {
    const fact = partFact(key, name)
    run.parts.delete(fact)
    if (!sameJson(was?.[name], is?.[name])) wake(run, fact)
  }
}
