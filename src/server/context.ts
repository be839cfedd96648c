import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kinds } from '../kinds/index.ts'
import type { Site } from '../kinds/kind.ts'
import { DEFAULT_SITE } from '../kinds/site/spec.ts'
import type { Place } from '../model/issue.ts'
import { type Key, keyParts, makeKey } from '../model/key.ts'
import { createEngine } from './engine/engine.ts'
import type { Engine, Locate, World } from './engine/types.ts'
import { createLoader, type Loader } from './load/load.ts'
import type { Tree } from './load/tree.ts'
import { type FileLocator, fileLocator } from './repo/locate.ts'

/** Raised whenever the same bytes would be loaded into something else: files parsed by another reader are not taken from the cache. */
export const READER_VERSION: string = '1'
export const VERSION: string = '0.1.0'

export interface Context {
  readonly kinds: typeof kinds
  readonly engine: Engine
  readonly loader: Loader
}

export function createContext(): Context {
  return { kinds, engine: createEngine(kinds), loader: createLoader(kinds, READER_VERSION) }
}

/** The site of a world, with every default filled in. */
export function siteOf(world: World): Site {
  return (world.resources.get(makeKey('site', '', 'site'))?.spec as Site | undefined) ?? DEFAULT_SITE
}

/**
 * Places inside resources' values, found by reading the one file again when a mistake needs it. A file that changed meanwhile still answers: a place that is
 * a line off beats none.
 */
export function locatorFor(dir: string, tree: Tree): Locate {
  const collections = new Map(kinds.map((k) => [k.kind, k.collection]))
  const opened = new Map<string, FileLocator | undefined>()
  return (key: Key, at): Place | undefined => {
    const whole = tree.places.get(key)
    if (whole === undefined || at.length === 0) return whole
    const { kind, project, name } = keyParts(key)
    let file = opened.get(whole.file)
    if (file === undefined && !opened.has(whole.file)) {
      file = openFile(dir, whole.file)
      opened.set(whole.file, file)
    }
    return file?.ofValue({ collection: collections.get(kind) ?? '', project: project === '' ? undefined : project, name, at }) ?? whole
  }
}

function openFile(dir: string, path: string): FileLocator | undefined {
  try {
    return fileLocator(path, readFileSync(join(dir, path)))
  } catch {
    return undefined
  }
}
