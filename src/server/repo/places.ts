import type { KindDefinition } from '../../kinds/kind.ts'
import { keyParts } from '../../model/key.ts'
import type { Locate } from '../engine/types.ts'
import type { Tree } from '../load/tree.ts'
import type { ReadFile } from './file-reader.ts'
import { type FileLocator, fileLocator } from './locate.ts'

/** Files whose text is kept while places are asked for. */
const KEPT = 8

/**
 * The places that the engine joins to its findings, for one tree. A file that changed meanwhile still answers where it holds the resource: a place that
 * is a line off beats none. Where a value cannot be found, the resource's name is pointed at.
 */
export function treeLocator(tree: Tree, kinds: readonly KindDefinition[], readFile: ReadFile): Locate {
  const byName = new Map(kinds.map((kind) => [kind.kind, kind]))
  const files = new Map<string, FileLocator | undefined>()
  return (key, at) => {
    const near = tree.places.get(key)
    const { kind: kindName, project, name } = keyParts(key)
    const kind = byName.get(kindName)
    if (near === undefined || kind === undefined || at.length === 0) return near
    const file = kept(files, near.file, readFile)
    const { collection, scope } = kind
    return file?.ofValue({ collection, project: scope === 'global' ? undefined : project, name, at, near }) ?? near
  }
}

function kept(files: Map<string, FileLocator | undefined>, path: string, readFile: ReadFile): FileLocator | undefined {
  if (files.has(path)) return files.get(path)
  const oldest = files.size >= KEPT ? files.keys().next().value : undefined
  if (oldest !== undefined) files.delete(oldest)
  const bytes = readFile(path)
  const file = bytes === undefined ? undefined : fileLocator(path, bytes)
  files.set(path, file)
  return file
}
