import type { KindDefinition, Site } from '../kinds/kind.ts'
import { DEFAULT_SITE } from '../kinds/site/spec.ts'
import { makeKey } from '../model/key.ts'
import { defaultDirectory } from '../plugins/choose.ts'
import type { Directory } from '../plugins/directory.ts'
import { createEngine } from './engine/engine.ts'
import type { Engine, Locate, World } from './engine/types.ts'
import { createLoader, type Loader } from './load/load.ts'
import type { Tree } from './load/tree.ts'
import { fileReader } from './repo/file-reader.ts'
import { treeLocator } from './repo/places.ts'
import type { Snapshot } from './repo/snapshot.ts'

/** Raised whenever the same bytes would be loaded into something else: files parsed by another reader are not taken from the cache. */
export const READER_VERSION: string = '2'
export const VERSION: string = '0.1.0'

export interface Context {
  readonly directory: Directory
  readonly kinds: readonly KindDefinition[]
  readonly engine: Engine
  readonly loader: Loader
}

/** Engine and loader for what the directory holds; without one, for the built-in defaults. */
export function createContext(directory: Directory = defaultDirectory(VERSION)): Context {
  const { kinds } = directory
  return {
    directory,
    kinds,
    engine: createEngine(kinds),
    loader: createLoader(kinds, `${READER_VERSION} ${directory.digest}`, directory.absent),
  }
}

/** The site of a world, with every default filled in. */
export function siteOf(world: World): Site {
  return (world.resources.get(makeKey('site', '', 'site'))?.spec as Site | undefined) ?? DEFAULT_SITE
}

/** Places inside resources' values, found by reading the lines of the one resource again when a mistake needs it; from the commit, if it was read from one. */
export function locatorFor(
  dir: string,
  kinds: readonly KindDefinition[],
  read: { readonly tree: Tree; readonly snapshot: Snapshot },
): Locate {
  return treeLocator(read.tree, kinds, fileReader(dir, read.snapshot))
}
