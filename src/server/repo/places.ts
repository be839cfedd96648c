import type { KindDefinition } from '../../kinds/kind.ts'
import type { Place, ValuePath } from '../../model/issue.ts'
import { type Key, keyParts } from '../../model/key.ts'
import type { Locate } from '../engine/types.ts'
import type { Loader } from '../load/load.ts'
import type { Tree } from '../load/tree.ts'
import { type FileLocator, fileLocator } from './locate.ts'

/** Files whose text is kept while places are asked for. */
const KEPT = 8

/**
 * The places that the engine joins to its findings, for one tree. `readFile` gives the bytes of a file of the repo as it is now; where they are
 * no longer those that the tree was made of, the resource's name is pointed at instead of a value inside it.
 */
export function treeLocator(tree: Tree, loader: Loader, readFile: (path: string) => Uint8Array | undefined): Locate {
  const kinds = new Map(loader.kinds.map((k) => [k.kind, k]))
  const files = new Map<string, FileLocator | undefined>()
  const fileOf = (path: string) => {
    if (!files.has(path)) {
      const oldest = files.size >= KEPT ? files.keys().next().value : undefined
      if (oldest !== undefined) files.delete(oldest)
      files.set(path, openIfSame(tree, loader, path, readFile(path)))
    }
    return files.get(path)
  }
  return (key, at) => {
    const near = tree.places.get(key)
    const kind = kinds.get(keyParts(key).kind)
    if (near === undefined || kind === undefined || at.length === 0) return near
    return inValue(fileOf(near.file), kind, key, at, near) ?? near
  }
}

function inValue(file: FileLocator | undefined, kind: KindDefinition, key: Key, at: ValuePath, near: Place): Place | undefined {
  const { project, name } = keyParts(key)
  return file?.ofValue({ collection: kind.collection, project: kind.scope === 'global' ? undefined : project, name, at, near })
}

function openIfSame(tree: Tree, loader: Loader, path: string, bytes: Uint8Array | undefined): FileLocator | undefined {
  const same = bytes !== undefined && tree.files.get(path)?.hash === loader.hash(path, bytes)
  return same ? fileLocator(path, bytes) : undefined
}
