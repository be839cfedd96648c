import type { KindDefinition } from '../../kinds/kind.ts'
import { type Key, makeKey } from '../../model/key.ts'
import type { Declared, LoadedEntry } from '../../model/resource.ts'

/** What the entries of one file take for granted, each once: at the first that does. */
export function impliedEntries(kinds: ReadonlyMap<string, KindDefinition>, entries: readonly LoadedEntry[]): readonly LoadedEntry[] {
  const found = new Map<Key, LoadedEntry>()
  for (const { declared: by, place } of entries) {
    for (const declared of impliedBy(kinds, by)) {
      if (!found.has(declared.key)) found.set(declared.key, { declared, place, implied: by.key })
    }
  }
  return [...found.values()]
}

/** Resources that one takes for granted: of its own project, with nothing said about them. */
export function impliedBy(kinds: ReadonlyMap<string, KindDefinition>, { kind, project, spec }: Declared): readonly Declared[] {
  const implied = kinds.get(kind)?.implies?.(spec) ?? []
  return implied.map((one) => {
    const own = kinds.get(one.kind)?.scope === 'global' ? '' : project
    return { key: makeKey(one.kind, own, one.name), kind: one.kind, project: own, name: one.name, spec: {} }
  })
}
